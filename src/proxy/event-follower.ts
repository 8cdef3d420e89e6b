const LF = 0x0a;
const CR = 0x0d;
/** No blank line is longer, with the end of the line before it: CR LF CR LF. */
const LONGEST_END = 4;

/**
 * Knows where the events of a `text/event-stream` end: behind an empty line, its lines ended by CR
 * LF, LF or CR. Of what just passes it looks at the last bytes alone.
 */
export class EventFollower {
  /** Nothing of an event has come since the last one ended, and nothing of that end is missing. */
  isBetween = true;
  #isLineEmpty = true;
  #wasCr = false;
  #isEventEnd = false;

  /** Follows `bytes[from, to)`. */
  follow(bytes: Buffer, from: number, to: number): void {
    let at = from;
    if (to - from > LONGEST_END) {
      at = to - LONGEST_END;
      this.#isLineEmpty = false;
      this.#wasCr = false;
    }
    for (; at < to; at++) this.#take(bytes[at]);
  }

  /** Follows as far as the present event ends: the offset behind it, or -1 where it goes on. */
  followEvent(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      // A CR alone was its end, which only the byte behind it tells.
      if (this.#wasCr && this.#isEventEnd && bytes[at] !== LF) return at;
      this.#take(bytes[at]);
      if (this.isBetween) return at + 1;
    }
    return -1;
  }

  #take(byte: number | undefined): void {
    const isSecondHalf = byte === LF && this.#wasCr;
    this.#wasCr = byte === CR;
    if (!isSecondHalf) {
      const isLineEnd = byte === LF || byte === CR;
      this.#isEventEnd = isLineEnd && this.#isLineEmpty;
      this.#isLineEmpty = isLineEnd;
    }
    this.isBetween = this.#isEventEnd && !this.#wasCr;
  }
}
