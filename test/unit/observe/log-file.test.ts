import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import { type LogFile, pieceLength, restAfter } from "../../../src/observe/log-file.ts";

const PIPE: LogFile = { fd: 1, kind: "stream", isUnblocked: true };
const FILE: LogFile = { fd: 3, kind: "file", isUnblocked: false };

/** Lines of so many bytes, their ends included. */
function lines(...lengths: readonly number[]): Buffer {
  return Buffer.from(lengths.map((length) => `${"x".repeat(length - 1)}\n`).join(""));
}

test.each<[what: string, bytes: Buffer, from: number, length: number]>([
  ["all that fits", lines(1000, 1000), 0, 2000],
  ["exactly 4096 bytes", lines(2048, 2048, 10), 0, 4096],
  ["as many lines as fit", lines(1500, 1500, 1500), 0, 3000],
  ["a line that is too long for it, alone", lines(5000, 10), 0, 5000],
  ["a line before one that is too long", lines(10, 5000, 10), 0, 10],
  ["the rest of a long line, with what fits behind it", lines(9000, 10, 10), 8000, 1020],
  ["what has no end", Buffer.alloc(9000, "x"), 0, 9000],
])("a pipe is given %s", (_, bytes, from, length) => {
  expect(pieceLength(PIPE, bytes, from)).toBe(length);
});

test("a file is given all at once", () => {
  expect(pieceLength(FILE, lines(5000, 5000), 10)).toBe(9990);
});

test.each<[what: string, file: LogFile, count: number, rest: string]>([
  ["a file that took whole lines gets the next one", FILE, 4, "two\n"],
  ["a file that took half a line gets it anew, on a line of its own", FILE, 6, "\ntwo\n"],
  ["a file that took nothing gets all", FILE, 0, "one\ntwo\n"],
  ["a file that took all gets nothing", FILE, 8, ""],
  ["a pipe that took half a line gets the other half", PIPE, 6, "o\n"],
])("%s", (_, file, count, rest) => {
  expect(restAfter(file, Buffer.from("one\ntwo\n"), count).toString()).toBe(rest);
});

test.each([
  // Pipes of Node are sockets, those of the shell are not.
  ["pipe", "| cat"],
  ["socket", ""],
])(
  "two processes with two logs each write whole lines to one %s and its slow reader",
  async (_, to) => {
    const child = spawn("sh", ["-c", `${TWO} ${to}`, process.execPath, WRITER], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = once(child, "close");

    // Nothing is read before one of them has written all it has.
    await once(child.stderr, "data");
    const text = await readAll(child.stdout);
    await closed;

    const written = text.slice(0, -1).split("\n");
    const broken = written.filter((line) => !WHOLE.test(line));
    expect([broken.slice(0, 3), written.length]).toEqual([[], 2 * 2 * LINES]);
  },
);

/** More than a pipe and a socket hold. */
const LINES = 5_000;

const WHOLE = /^(?:\{"level":"info".*"note":"x*".*\}|x+ 200 end)$/;

const TWO = `{ "$0" --input-type=module -e "$1" & "$0" --input-type=module -e "$1" & wait; }`;

const WRITER = `
  import { openAccessLog } from "${urlOf("access-log.ts")}";
  import { openEventLog } from "${urlOf("event-log.ts")}";
  const access = openAccessLog({ file: "stdout", format: "$request_id $status end" });
  const events = openEventLog({ file: "stdout", level: "info" });
  for (let n = 0; n < ${LINES}; n++) {
    const length = 200 + ((n * 37) % 300);
    access.write({ status: 200, requestId: "x".repeat(length) });
    events.info({ note: "x".repeat(length) }, "something happened");
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  process.stderr.write("written\\n");
  await Promise.all([access.close(), events.close()]);`;

function urlOf(file: string): string {
  return new URL(`../../../src/observe/${file}`, import.meta.url).href;
}

async function readAll(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
