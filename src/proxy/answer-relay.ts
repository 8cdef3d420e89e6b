import type { Framing } from "../http1/framing.ts";
import type { AnswerReceiver } from "./attempt.ts";
import { keepBytes, releaseBytes } from "./read-buffer.ts";

/** Up to this size an answer's parts travel in one string (and one system call). */
const SMALL_BYTES = 12 * 1024;

/** The client's side of a relay. */
export interface AnswerSink {
  /** Latin-1 text or bytes; bytes must not be changed afterwards. */
  write(content: string | Buffer): void;
  cork(): void;
  uncork(): void;
  /** Bytes that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** True where the client is so slow that the server should pause. */
  readonly needsDrain: boolean;
}

export interface RelayOwner {
  /** The last byte was handed to the client's socket. */
  onRelayed(): void;
  /** The client is slow: nothing more until resumed. */
  onClientFull(): void;
}

/** Passes one answer on to the client, framed as the client needs it. */
export class AnswerRelay implements AnswerReceiver {
  readonly #sink: AnswerSink;
  readonly #owner: RelayOwner;
  readonly #isChunked: boolean;
  #text: string;
  /** Body bytes passed on. */
  bodyBytes = 0;
  /** All bytes passed on, head and framing included. */
  sentBytes = 0;

  constructor(sink: AnswerSink, owner: RelayOwner, headText: string, framing: Framing) {
    this.#sink = sink;
    this.#owner = owner;
    this.#text = headText;
    this.#isChunked = framing === "chunked";
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    this.bodyBytes += to - from;
    if (this.#isChunked) this.#text += `${(to - from).toString(16)}\r\n`;
    if (this.#text.length + to - from <= SMALL_BYTES)
      this.#text += bytes.toString("latin1", from, to);
    else this.#writeLarge(bytes, from, to);
    if (this.#isChunked) this.#text += "\r\n";
  }

  onReadEnd(): void {
    this.#flush();
    if (this.#sink.needsDrain) this.#owner.onClientFull();
  }

  onAnswerEnd(trailers: string): void {
    if (this.#isChunked) this.#text += `0\r\n${trailers}\r\n`;
    this.#flush();
    this.#owner.onRelayed();
  }

  #writeLarge(bytes: Buffer, from: number, to: number): void {
    this.sentBytes += to - from;
    this.#sink.cork();
    this.#flush();
    const piece = keepBytes(bytes.subarray(from, to));
    this.#sink.write(piece);
    this.#sink.uncork();
    if (this.#sink.pendingBytes === 0) releaseBytes(piece);
  }

  #flush(): void {
    if (this.#text === "") return;
    this.#sink.write(this.#text);
    this.sentBytes += this.#text.length;
    this.#text = "";
  }
}
