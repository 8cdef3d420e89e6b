import { expect, test } from "vitest";
import { keepBytes, ReadBuffer, releaseBytes } from "../../../src/proxy/read-buffer.ts";

const SIZE = 64 * 1024;

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
