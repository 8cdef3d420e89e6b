import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerReceiver, Attempt } from "./attempt.ts";

/** Bytes of its body that are kept; past that its server is asked to wait. */
const KEPT_BYTES = 64 * 1024;

/**
 * An answer with a listed status, put aside while another server is tried. If nobody gives a better
 * one the client gets this: what was kept, then the rest as it comes.
 */
export class ParkedAnswer implements AnswerReceiver {
  readonly attempt: Attempt;
  readonly head: ResponseHead;
  readonly #pieces: Buffer[] = [];
  #keptBytes = 0;
  #trailers: string | undefined;

  constructor(attempt: Attempt, head: ResponseHead) {
    this.attempt = attempt;
    this.head = head;
    attempt.deliver(this);
    attempt.stopSending();
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(from, to)));
    this.#keptBytes += to - from;
    if (this.#keptBytes >= KEPT_BYTES) this.attempt.pause();
  }

  onReadEnd(): void {}

  onAnswerEnd(trailers: string): void {
    this.#trailers = trailers;
  }

  /** Goes on to `receiver` from here. */
  unpark(receiver: AnswerReceiver): void {
    this.attempt.deliver(receiver);
    for (const piece of this.#pieces) receiver.onBody(piece, 0, piece.length);
    if (this.#trailers !== undefined) return receiver.onAnswerEnd(this.#trailers);
    this.attempt.resume();
    receiver.onReadEnd();
  }

  /** Another answer is served. */
  discard(): void {
    this.attempt.abandon("moved");
  }
}
