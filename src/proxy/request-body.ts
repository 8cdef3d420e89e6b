import type { Framing } from "../http1/framing.ts";
import { recycleBytes } from "./read-buffer.ts";
import { openSpool, type Spool } from "./spool.ts";

/** Bytes that may wait for a server before the client is asked to pause. */
const BACKLOG_BYTES = 256 * 1024;
/** Pieces are put together up to this size: one of a single byte costs a hundred bytes to keep. */
const JOINED_BYTES = 4 * 1024;

export interface ReplayLimits {
  readonly memoryBytes: number;
  readonly limitBytes: number;
}

/** What a reader finds at an offset: bytes, nothing yet, or a word to come back when called. */
export type BodyPiece = Buffer | "later" | "end";

/**
 * The body of a request between its client and the server that is being tried. It is kept for a
 * replay: in memory up to `memoryBytes`, then in an unlinked temporary file up to `limitBytes`;
 * past that it is only passed through. The reader is whichever attempt is running.
 */
export class RequestBody {
  readonly framing: Framing;
  readonly #limits: ReplayLimits;
  /** Bytes received so far. */
  received = 0;
  /** True once the last byte is here. */
  complete: boolean;
  /** Trailer lines of a chunked body, complete with their line ends. */
  trailers = "";
  /** True while every byte received can be read again. */
  replayable = true;
  /** True where the temporary file failed while its bytes were still wanted. */
  broken = false;
  #pieces: Buffer[] = [];
  /** Offset of the first piece. */
  #base = 0;
  #readOffset = 0;
  /** Which piece is read next, once the reader is past what lies in the file. */
  #readIndex = 0;
  #spool: Spool | undefined;

  constructor(framing: Framing, limits: ReplayLimits) {
    this.framing = framing;
    this.#limits = limits;
    this.complete = framing === 0;
  }

  /** Takes the bytes over: the caller does not touch them again. */
  append(bytes: Buffer): void {
    this.#joinLast();
    this.#pieces.push(bytes);
    this.received += bytes.length;
    if (!this.replayable) return;
    if (this.received > this.#limits.limitBytes) this.stopKeeping();
    else if (this.#spool !== undefined) this.#spool.append(bytes);
    else if (this.received > this.#limits.memoryBytes) this.#spill();
  }

  /** True while so much waits for the server or for the disk that the client should pause. */
  get congested(): boolean {
    const unread = this.received - this.#readOffset;
    return unread > BACKLOG_BYTES || (this.#spool?.backlogBytes ?? 0) > BACKLOG_BYTES;
  }

  /**
   * The answer is on its way to the client: nothing will be replayed, so nothing is kept. `unused`:
   * of what was read not a byte is still on its way to any server.
   */
  stopKeeping(unused = false): void {
    this.replayable = false;
    if (unused && this.#spool === undefined) this.#recycle();
    if (this.#readOffset >= this.#base) this.#closeSpool();
    this.#forget();
  }

  /** True while an attempt can begin at the first byte. */
  get canRestart(): boolean {
    return this.replayable || this.#readOffset === 0;
  }

  /** A new attempt reads from the start. Only while `canRestart`. */
  rewind(): void {
    this.#readOffset = 0;
    this.#readIndex = 0;
  }

  /** The next bytes for the attempt; `later`: wait() tells when there may be more. */
  read(): BodyPiece {
    const offset = this.#readOffset;
    if (offset === this.received) return this.complete ? "end" : "later";
    if (offset < this.#base) return this.#readSpool(offset);
    const piece = this.#pieces[this.#readIndex];
    if (piece === undefined) return "later";
    this.#readIndex += 1;
    this.#readOffset += piece.length;
    this.#forget();
    return piece;
  }

  /** Called when read() may give more, or the congestion is over, without a new byte of the client. */
  onProgress: () => void = () => {};

  /** Called when the temporary file failed; `broken` tells whether that is fatal. */
  onSpoolFailed: (error: Error) => void = () => {};

  /** Frees memory and file. */
  discard(): void {
    this.replayable = false;
    this.#pieces = [];
    this.#base = this.received;
    this.#readOffset = this.received;
    this.#readIndex = 0;
    this.#closeSpool();
  }

  #readSpool(offset: number): BodyPiece {
    const fetched = this.#spool?.take(offset, this.#base);
    if (fetched === undefined) {
      this.#spool?.fetch(offset, this.#base, () => this.onProgress());
      return "later";
    }
    this.#readOffset += fetched.length;
    if (!this.replayable && this.#readOffset >= this.#base) this.#closeSpool();
    return fetched;
  }

  /** Makes one of the last two pieces where they are small and the reader is not between them. */
  #joinLast(): void {
    const last = this.#pieces.length - 1;
    const [one, other] = this.#pieces.slice(-2);
    if (one === undefined || other === undefined || this.#readIndex === last) return;
    if (one.length + other.length > JOINED_BYTES) return;
    this.#pieces.splice(-2, 2, Buffer.concat([one, other]));
    if (this.#readIndex > last) this.#readIndex -= 1;
  }

  #spill(): void {
    this.#spool = openSpool({
      failed: (error) => {
        this.broken = this.#readOffset < this.#base;
        this.stopKeeping();
        this.onSpoolFailed(error);
        // The client may have been paused for the disk's sake.
        this.onProgress();
      },
      wrote: () => {
        this.#forget();
        this.onProgress();
      },
    });
    for (const piece of this.#pieces) this.#spool.append(piece);
  }

  /** Lets go of the pieces that nobody will read from memory again. */
  #forget(): void {
    const keptFrom = this.replayable ? (this.#spool?.writtenBytes ?? 0) : Infinity;
    const upTo = Math.min(this.#readOffset, keptFrom);
    for (;;) {
      const first = this.#pieces[0];
      if (first === undefined || this.#base + first.length > upTo) return;
      this.#pieces.shift();
      this.#readIndex -= 1;
      this.#base += first.length;
    }
  }

  #recycle(): void {
    for (const piece of this.#pieces.slice(0, this.#readIndex)) recycleBytes(piece);
  }

  #closeSpool(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }
}
