import type { AnswerReceiver, Attempt } from "./attempt.ts";
import { type Handshake, readHandshake } from "./engine-io.ts";
import { KeptBody } from "./kept-body.ts";

/** An open packet has about 120 bytes. */
const MOST_BYTES = 4096;

/**
 * Reads the beginning of a handshake's body on its way to the client, who cannot come back with the
 * session before all who must know of it do: what completes it, and all behind that, is kept until then.
 */
export class HandshakeReader implements AnswerReceiver {
  readonly #receiver: AnswerReceiver;
  readonly #attempt: Attempt;
  readonly #onHandshake: (handshake: Handshake) => Promise<void> | undefined;
  /** What was read so far; undefined once nothing more is of interest. */
  #text: string | undefined = "";
  #kept: KeptBody | undefined;
  #over = false;

  /** `onHandshake` tells of the session; its promise never rejects. */
  constructor(
    receiver: AnswerReceiver,
    attempt: Attempt,
    onHandshake: (handshake: Handshake) => Promise<void> | undefined,
  ) {
    this.#receiver = receiver;
    this.#attempt = attempt;
    this.#onHandshake = onHandshake;
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#text !== undefined) this.#read(this.#text, bytes, from, to);
    this.#next.onBody(bytes, from, to);
  }

  onReadEnd(): void {
    this.#next.onReadEnd();
  }

  onAnswerEnd(trailers: string): void {
    this.#next.onAnswerEnd(trailers);
  }

  /** The exchange is over: what is kept goes nowhere. */
  end(): void {
    this.#over = true;
  }

  get #next(): AnswerReceiver {
    return this.#kept ?? this.#receiver;
  }

  #read(before: string, bytes: Buffer, from: number, to: number): void {
    const end = Math.min(to, from + MOST_BYTES - before.length);
    const text = before + bytes.toString("latin1", from, end);
    const handshake = readHandshake(text);
    this.#text = handshake === undefined && text.length < MOST_BYTES ? text : undefined;
    if (handshake === undefined) return;
    const told = this.#onHandshake(handshake);
    if (told !== undefined) this.#keepUntil(told);
  }

  #keepUntil(told: Promise<void>): void {
    const kept = new KeptBody(this.#attempt);
    this.#kept = kept;
    void told.then(() => {
      this.#kept = undefined;
      if (!this.#over) kept.passOn(this.#receiver);
    });
  }
}
