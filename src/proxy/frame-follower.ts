/** Bytes that every header begins with, and those of a mask behind it (RFC 6455 5.2). */
const SHORT_HEADER = 2;
const MASK = 4;
const CLOSE = 0x8;

/**
 * Knows where the frames of one direction of a WebSocket end. It reads their headers and counts
 * past their payloads, so it costs by frames, not by bytes.
 */
export class FrameFollower {
  /** Payload bytes of the present frame that are still to come. */
  #payload = 0;
  /** Bytes of its header that were read, of how many; more may turn out to be needed. */
  #read = 0;
  #size = SHORT_HEADER;
  #maskAt = 0;
  #length = 0;
  #opcode = 0;
  /** A close frame has begun: after it this direction may say nothing (RFC 6455 5.5.1). */
  hasClosed = false;

  /** True between two frames, of one message or of two: where a control frame may stand. */
  get isBetween(): boolean {
    return this.#payload === 0 && this.#read === 0;
  }

  /** Follows `bytes[from, to)`. */
  follow(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) at = this.#step(bytes, at, to);
  }

  /** Follows as far as the present frame ends: the offset behind it, or -1 where it goes on. */
  followFrame(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to;) {
      at = this.#step(bytes, at, to);
      if (this.isBetween) return at;
    }
    return -1;
  }

  #step(bytes: Buffer, at: number, to: number): number {
    if (this.#payload === 0) {
      this.#readHeader(bytes[at] ?? 0);
      return at + 1;
    }
    const skipped = Math.min(this.#payload, to - at);
    this.#payload -= skipped;
    return at + skipped;
  }

  #readHeader(byte: number): void {
    const at = this.#read;
    this.#read += 1;
    if (at === 0) this.#opcode = byte & 0x0f;
    else if (at === 1) this.#readLength(byte);
    else if (at < this.#maskAt) this.#length = this.#length * 256 + byte;
    if (this.#read === this.#size) this.#beginPayload();
  }

  #readLength(byte: number): void {
    const length = byte & 0x7f;
    const extension = length === 126 ? 2 : length === 127 ? 8 : 0;
    this.#length = extension === 0 ? length : 0;
    this.#maskAt = SHORT_HEADER + extension;
    this.#size = this.#maskAt + (byte >= 0x80 ? MASK : 0);
    this.hasClosed ||= this.#opcode === CLOSE;
  }

  #beginPayload(): void {
    this.#payload = this.#length;
    this.#read = 0;
    this.#size = SHORT_HEADER;
  }
}
