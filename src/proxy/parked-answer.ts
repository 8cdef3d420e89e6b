import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerReceiver, Attempt } from "./attempt.ts";
import { KeptBody } from "./kept-body.ts";

/**
 * An answer with a listed status, put aside while another server is tried. If nobody gives a better
 * one the client gets this: what was kept, then the rest as it comes.
 */
export class ParkedAnswer {
  readonly attempt: Attempt;
  readonly head: ResponseHead;
  readonly #body: KeptBody;

  constructor(attempt: Attempt, head: ResponseHead) {
    this.attempt = attempt;
    this.head = head;
    this.#body = new KeptBody(attempt);
    attempt.deliver(this.#body);
    attempt.stopSending();
  }

  /** Goes on to `receiver` from here. */
  unpark(receiver: AnswerReceiver): void {
    this.attempt.deliver(receiver);
    this.#body.passOn(receiver);
  }

  /** Another answer is served. */
  discard(): void {
    this.attempt.abandon("moved");
  }
}
