import type { AnswerReceiver } from "./attempt.ts";
import { type Handshake, readHandshake } from "./engine-io.ts";

/** An open packet has about 120 bytes. */
const MOST_BYTES = 4096;

/**
 * Reads the beginning of a handshake's body on its way to the client, who cannot come back with the
 * session before this has told of it.
 */
export class HandshakeReader implements AnswerReceiver {
  readonly #receiver: AnswerReceiver;
  readonly #onHandshake: (handshake: Handshake) => void;
  /** What was read so far; undefined once nothing more is of interest. */
  #text: string | undefined = "";

  constructor(receiver: AnswerReceiver, onHandshake: (handshake: Handshake) => void) {
    this.#receiver = receiver;
    this.#onHandshake = onHandshake;
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#text !== undefined) this.#read(this.#text, bytes, from, to);
    this.#receiver.onBody(bytes, from, to);
  }

  onReadEnd(): void {
    this.#receiver.onReadEnd();
  }

  onAnswerEnd(trailers: string): void {
    this.#receiver.onAnswerEnd(trailers);
  }

  #read(before: string, bytes: Buffer, from: number, to: number): void {
    const end = Math.min(to, from + MOST_BYTES - before.length);
    const text = before + bytes.toString("latin1", from, end);
    const handshake = readHandshake(text);
    this.#text = handshake === undefined && text.length < MOST_BYTES ? text : undefined;
    if (handshake !== undefined) this.#onHandshake(handshake);
  }
}
