import type { AnswerReceiver, Attempt } from "./attempt.ts";

/** Bytes that are kept; past that the server is asked to wait. */
const KEPT_BYTES = 64 * 1024;

/** The body of an answer, or the end of it, while it has nowhere to go. */
export class KeptBody implements AnswerReceiver {
  readonly #attempt: Attempt;
  readonly #pieces: Buffer[] = [];
  #keptBytes = 0;
  #trailers: string | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(from, to)));
    this.#keptBytes += to - from;
    if (this.#keptBytes >= KEPT_BYTES) this.#attempt.pause();
  }

  onReadEnd(): void {}

  onAnswerEnd(trailers: string): void {
    this.#trailers = trailers;
  }

  /** What was kept goes to `receiver`, who takes the rest as it comes. */
  passOn(receiver: AnswerReceiver): void {
    for (const piece of this.#pieces) receiver.onBody(piece, 0, piece.length);
    if (this.#trailers !== undefined) return receiver.onAnswerEnd(this.#trailers);
    this.#attempt.resume();
    receiver.onReadEnd();
  }
}
