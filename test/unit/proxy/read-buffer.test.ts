import { expect, test } from "vitest";
import { ManualClock } from "../../support/manual-clock.ts";
import {
  keepBytes,
  ReadBuffer,
  recycleBytes,
  releaseBytes,
  takeBytes,
  startTrimming,
} from "../../../src/proxy/read-buffer.ts";

const SIZE = 128 * 1024;

test("a buffer that was filled is followed by one of the connection's own", () => {
  const reader = new ReadBuffer();

  const shared = reader.next(0);
  const own = reader.next(SIZE);

  expect([shared.length, own.length, own.buffer === shared.buffer]).toEqual([SIZE, SIZE, false]);
});

test("bytes that somebody keeps are never read over, whatever else is kept in the same call", () => {
  const reader = new ReadBuffer();
  const own = reader.next(SIZE);

  keepBytes(own);
  // An answer's end begins the next request of its client, whose body is kept as well.
  keepBytes(Buffer.alloc(10));
  const after = reader.next(SIZE);
  reader.next(1);
  const others = Array.from({ length: 64 }, () => new ReadBuffer().next(SIZE));

  expect([after, ...others].map(({ buffer }) => buffer)).not.toContain(own.buffer);
});

test("bytes that were let go of again within the call are read over", () => {
  const reader = new ReadBuffer();
  const own = reader.next(SIZE);

  keepBytes(own);
  releaseBytes(own);

  expect(reader.next(SIZE).buffer === own.buffer).toBe(true);
});

test.each([
  ["a little", 100],
  ["most of it", SIZE - 1],
])("bytes taken from what others read into are a copy: %s", (_, length) => {
  const reader = new ReadBuffer();
  const shared = reader.next(0).fill("a");
  const own = reader.next(SIZE).fill("b");

  const taken = [shared, own].map((memory) => takeBytes(memory.subarray(0, length)));
  shared.fill("x");
  own.fill("x");

  expect(taken.map(String)).toEqual(["a".repeat(length), "b".repeat(length)]);
});

test("a full buffer of a connection's own is taken as it is, and not read into while in use", () => {
  const reader = new ReadBuffer();
  const own = reader.next(SIZE);

  const taken = takeBytes(own);
  const next = reader.next(SIZE);

  expect([taken === own, next.buffer === own.buffer]).toEqual([true, false]);
});

test("what was put together from several reads is taken whole", () => {
  const bytes = Buffer.alloc(3 * SIZE + 5);

  expect(takeBytes(bytes)).toBe(bytes);
});

test("memory that was taken and is used no more is read into again, by one connection", () => {
  const reader = new ReadBuffer();
  const taken = takeBytes(reader.next(SIZE));
  reader.next(SIZE);

  recycleBytes(taken);
  const others = Array.from({ length: 64 }, () => new ReadBuffer().next(SIZE));

  expect(others.filter(({ buffer }) => buffer === taken.buffer).length).toBe(1);
});

test("memory that is not of reads is never read into", () => {
  const foreign = Buffer.alloc(SIZE);

  recycleBytes(foreign);
  const others = Array.from({ length: 512 }, () => new ReadBuffer().next(SIZE));

  expect(others.filter(({ buffer }) => buffer === foreign.buffer)).toEqual([]);
});

test("memory that nobody needs for a while is given back", async () => {
  const clock = new ManualClock();
  const reader = new ReadBuffer();
  const taken = takeBytes(reader.next(SIZE));
  reader.next(SIZE);
  recycleBytes(taken);

  const stop = startTrimming(clock);
  await clock.advance(20_000);
  stop();
  const others = Array.from({ length: 512 }, () => new ReadBuffer().next(SIZE));

  expect(others.filter(({ buffer }) => buffer === taken.buffer)).toEqual([]);
});
