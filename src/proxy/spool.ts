import { randomBytes } from "node:crypto";
import { close, open, read, unlink, write } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes read from the file at a time. */
const FETCH_BYTES = 64 * 1024;

interface SpoolOwner {
  /** The file could not be made, written or read; the spool is of no use any more. */
  failed(error: Error): void;
  /** `writtenBytes` has grown. */
  wrote(): void;
}

/** A temporary file without a name, so that nothing is left behind however the process ends. */
export function openSpool(owner: SpoolOwner): Spool {
  return new Spool(owner);
}

export class Spool {
  readonly #owner: SpoolOwner;
  #fd: number | undefined;
  #queue: Buffer[] = [];
  #busy = true;
  #closed = false;
  #fetching = false;
  #fetched: { readonly offset: number; readonly bytes: Buffer } | undefined;
  /** Bytes that the file holds. */
  writtenBytes = 0;
  /** Bytes that wait to be written. */
  backlogBytes = 0;

  constructor(owner: SpoolOwner) {
    this.#owner = owner;
    const path = join(tmpdir(), `understudy-${randomBytes(12).toString("hex")}`);
    open(path, "wx+", 0o600, (error, fd) => {
      if (error !== null) return this.#fail(error);
      this.#fd = fd;
      unlink(path, () => this.#next());
    });
  }

  append(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.backlogBytes += bytes.length;
    if (!this.#busy) this.#next();
  }

  /** The bytes at `offset` if they have been fetched, cut at `end`. */
  take(offset: number, end: number): Buffer | undefined {
    const fetched = this.#fetched;
    if (fetched === undefined || fetched.offset !== offset) return undefined;
    this.#fetched = undefined;
    return fetched.bytes.subarray(0, end - offset);
  }

  /** Reads from `offset` on, not past `end`, and calls back when take() will give the bytes. */
  fetch(offset: number, end: number, done: () => void): void {
    if (this.#fetching || this.#fd === undefined) return;
    this.#fetching = true;
    const bytes = Buffer.allocUnsafe(Math.min(FETCH_BYTES, end - offset));
    read(this.#fd, bytes, 0, bytes.length, offset, (error, count) => {
      this.#fetching = false;
      if (this.#closed) return this.#closeFile();
      if (error !== null || count === 0) return this.#fail(error ?? new Error("short file"));
      this.#fetched = { offset, bytes: bytes.subarray(0, count) };
      done();
    });
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.backlogBytes = 0;
    this.#closeFile();
  }

  #next(): void {
    this.#busy = false;
    if (this.#closed) return this.#closeFile();
    if (this.#queue.length > 1) this.#queue = [Buffer.concat(this.#queue)];
    const piece = this.#queue[0];
    if (piece === undefined || this.#fd === undefined) return;
    this.#busy = true;
    write(this.#fd, piece, 0, piece.length, this.writtenBytes, (error, count) => {
      if (this.#closed) return this.#next();
      if (error !== null) return this.#fail(error);
      this.#wrote(piece, count);
      this.#next();
    });
  }

  #wrote(piece: Buffer, count: number): void {
    this.writtenBytes += count;
    this.backlogBytes -= count;
    if (count === piece.length) this.#queue.shift();
    else this.#queue[0] = piece.subarray(count);
    this.#owner.wrote();
  }

  #fail(error: Error): void {
    this.#busy = false;
    const wasClosed = this.#closed;
    this.close();
    if (!wasClosed) this.#owner.failed(error);
  }

  /** The file is closed when the last call on it is back. */
  #closeFile(): void {
    if (this.#fd === undefined || this.#busy || this.#fetching) return;
    close(this.#fd, () => {});
    this.#fd = undefined;
  }
}
