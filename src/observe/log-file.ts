import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

/** An open log, and what its kind asks of whoever writes lines to it. */
export interface LogFile {
  readonly fd: number;
  /** `stream` is a pipe or socket, `device` a terminal or the like. */
  readonly kind: "file" | "stream" | "device";
  /** A write never waits for the reader: it is taken at once, or refused with `EAGAIN`. */
  readonly isUnblocked: boolean;
}

/**
 * PIPE_BUF of Linux: so much goes through a pipe in one piece. A longer write is cut where the pipe
 * is full or another process writes (pipe(7)).
 */
const PIECE_BYTES = 4096;
const LINE_END = 10;
const LAST_TRIES = 100;
const LAST_PAUSE_MS = 10;
const STANDSTILL = new Int32Array(new SharedArrayBuffer(4));

/** `stdout`, `stderr` or a path, which is appended to. Throws Node's error where it cannot be had. */
export function openLogFile(file: string): LogFile {
  const fd = file === "stdout" ? 1 : file === "stderr" ? 2 : openSync(file, "a");
  const kind = kindOf(fd);
  if (kind !== "stream" || fd > 2) return { fd, kind, isUnblocked: false };
  // A reader that stalls would hold a thread, and in the end the exit, of a process that writes to a
  // blocking pipe. Opened anew the pipe has a mode of its own; where that is not allowed it blocks.
  try {
    const fresh = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return { fd: fresh, kind, isUnblocked: true };
  } catch {
    return { fd, kind, isUnblocked: false };
  }
}

export function closeLogFile({ fd }: LogFile): void {
  if (fd <= 2) return;
  try {
    closeSync(fd);
  } catch {
    // Nothing can be done about it, and every line has been handed over.
  }
}

/**
 * How many of these bytes, from `from` on, make the next write, so that lines of several processes
 * never mix: to a pipe whole lines of 4096 bytes at most, or one longer line; to a file all of them,
 * because the system appends each write as a whole.
 */
export function pieceLength({ kind }: LogFile, bytes: Buffer, from = 0): number {
  const length = bytes.length - from;
  if (kind !== "stream" || length <= PIECE_BYTES) return length;
  const last = bytes.lastIndexOf(LINE_END, from + PIECE_BYTES - 1);
  const end = last >= from ? last : bytes.indexOf(LINE_END, from);
  return end < 0 ? length : end + 1 - from;
}

/**
 * What is still to be written after the first `count` bytes. A file takes less than it was given only
 * when its disk is full. Another process may be the first to find room again, so the broken line is
 * ended, and written anew.
 */
export function restAfter({ kind }: LogFile, bytes: Buffer, count: number): Buffer {
  const rest = bytes.subarray(count);
  if (kind !== "file" || count === 0 || rest.length === 0) return rest;
  const begin = bytes.lastIndexOf(LINE_END, count - 1) + 1;
  return begin === count ? rest : Buffer.concat([Buffer.from("\n"), bytes.subarray(begin)]);
}

/**
 * The last resort of a process that ends: gives a slow reader up to a second, and stops at any
 * other refusal. Nothing asynchronous would run any more, so it waits by standing still.
 */
export function writeAtOnce(file: LogFile, bytes: Buffer): void {
  let rest = bytes;
  for (let patience = LAST_TRIES; rest.length > 0 && patience > 0;) {
    try {
      const count = writeSync(file.fd, rest, 0, pieceLength(file, rest));
      rest = restAfter(file, rest, count);
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") return;
      patience--;
      Atomics.wait(STANDSTILL, 0, 0, LAST_PAUSE_MS);
    }
  }
}

/** The system's word for what went wrong: `ENOSPC`, `EPIPE`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
}

function kindOf(fd: number): LogFile["kind"] {
  const stat = fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket()) return "stream";
  return stat.isFile() ? "file" : "device";
}
