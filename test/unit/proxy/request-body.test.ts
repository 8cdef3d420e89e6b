import { readdirSync, readlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { RequestBody } from "../../../src/proxy/request-body.ts";

const LIMITS = { memoryBytes: 100, limitBytes: 1_000 };

function bodyOf(length: number, limits = LIMITS): RequestBody {
  return new RequestBody(length, limits);
}

function bytes(from: number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, n) => (from + n) % 251));
}

function fill(body: RequestBody, total: number, pieceLength: number): Buffer {
  for (let at = 0; at < total; at += pieceLength) {
    body.append(bytes(at, Math.min(pieceLength, total - at)));
  }
  body.complete = true;
  return bytes(0, total);
}

/** Reads to the end, waiting where the file has to be read first. */
async function readAll(body: RequestBody): Promise<Buffer> {
  const read: Buffer[] = [];
  for (;;) {
    const piece = body.read();
    if (piece === "end") return Buffer.concat(read);
    if (piece === "later") await new Promise<void>((resolve) => (body.onProgress = resolve));
    else read.push(piece);
  }
}

function openSpools(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("understudy-");
    } catch {
      return false;
    }
  }).length;
}

async function untilNoSpool(): Promise<void> {
  while (openSpools() > 0) await new Promise((resolve) => setImmediate(resolve));
}

test("a reader gets what has come, later for what is to come, and the end", () => {
  const body = bodyOf(6);
  body.append(Buffer.from("abc"));
  expect(body.read()).toEqual(Buffer.from("abc"));
  expect(body.read()).toBe("later");
  body.append(Buffer.from("def"));
  body.complete = true;
  expect(body.read()).toEqual(Buffer.from("def"));
  expect(body.read()).toBe("end");
});

test.each([
  ["in memory", 90, 7],
  ["partly in the file", 400, 30],
  ["wholly past the memory limit in one piece", 700, 700],
])("a body %s is read again from the start", async (_, total, pieceLength) => {
  const body = bodyOf(total);
  const sent = fill(body, total, pieceLength);

  expect(await readAll(body)).toEqual(sent);
  body.rewind();
  expect(await readAll(body)).toEqual(sent);
  expect(body.replayable).toBe(true);

  body.discard();
  await untilNoSpool();
});

test("a second reader overtakes a body that is still coming", async () => {
  const body = bodyOf(400);
  body.append(bytes(0, 300));
  expect(body.read()).toHaveLength(300);
  body.rewind();
  const all = readAll(body);
  body.append(bytes(300, 100));
  body.complete = true;
  body.onProgress();

  expect(await all).toEqual(bytes(0, 400));
  body.discard();
  await untilNoSpool();
});

test("past its limit a body goes on to its reader and can no longer be replayed", () => {
  const body = bodyOf(3_000);
  for (let at = 0; at < 3_000; at += 50) {
    body.append(bytes(at, 50));
    expect(body.read()).toEqual(bytes(at, 50));
  }
  body.complete = true;
  expect([body.replayable, body.canRestart, body.read()]).toEqual([false, false, "end"]);
});

test("a body past its limit of which nothing was read yet can still begin at the first byte", () => {
  const body = bodyOf(3_000, { memoryBytes: 0, limitBytes: 0 });
  body.append(bytes(0, 50));
  expect([body.replayable, body.canRestart]).toEqual([false, true]);
});

test("once an answer is passed on what was read is let go, the rest still arrives", async () => {
  const body = bodyOf(500);
  body.append(bytes(0, 400));
  body.stopKeeping();
  body.append(bytes(400, 100));
  body.complete = true;
  expect(await readAll(body)).toEqual(bytes(0, 500));
  await untilNoSpool();
});

test("more than 256 KiB unread is congestion, and reading ends it", () => {
  const body = bodyOf(400_000, { memoryBytes: 1_000_000, limitBytes: 1_000_000 });
  body.append(bytes(0, 300_000));
  expect(body.congested).toBe(true);
  body.read();
  expect(body.congested).toBe(false);
});

test("discarding closes the file, also while it is being opened, written or read", async () => {
  for (const turns of [0, 1, 2, 3, 5, 8]) {
    const body = bodyOf(900);
    fill(body, 900, 90);
    body.read();
    for (let n = 0; n < turns; n += 1) await new Promise((resolve) => setImmediate(resolve));
    body.rewind();
    body.read();
    body.discard();
  }
  await untilNoSpool();
  expect(openSpools()).toBe(0);
});

test("bytes that come one by one are kept in larger pieces, whether they were read or not", async () => {
  const body = bodyOf(900);
  for (let at = 0; at < 300; at += 1) body.append(bytes(at, 1));
  const lengths: number[] = [];
  for (let piece = body.read(); piece instanceof Buffer; piece = body.read()) {
    lengths.push(piece.length);
  }
  for (let at = 300; at < 600; at += 1) {
    body.append(bytes(at, 1));
    body.read();
  }
  for (let at = 600; at < 900; at += 1) body.append(bytes(at, 1));
  body.complete = true;
  body.rewind();

  expect(lengths.length).toBeLessThan(5);
  expect(await readAll(body)).toEqual(bytes(0, 900));
  body.discard();
  await untilNoSpool();
});
