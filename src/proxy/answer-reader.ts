import { ChunkedDecoder } from "../http1/chunked.ts";
import type { HeadLimits } from "../http1/limits.ts";
import { findHeadEnd } from "../http1/request-head.ts";
import {
  checkPartialResponse,
  parseResponseHead,
  type ResponseHead,
} from "../http1/response-head.ts";

/** What comes out of an answer's bytes, in this order; nothing follows onAnswerEnd or onMalformed. */
export interface AnswerEvents {
  /** Every head: any number of 1xx, then the final one (or a 101). */
  onHead(head: ResponseHead): void;
  /** `bytes[from, to)` are valid until the call returns. */
  onBody(bytes: Buffer, from: number, to: number): void;
  /** `clean`: not a byte came behind the answer, so the connection can be used again. */
  onAnswerEnd(trailers: string, clean: boolean): void;
  onMalformed(reason: string): void;
}

/** Answers of 1xx before the final one: a server that says 102 every second gets 16 minutes. */
const MAX_INFORMATIONS = 1_000;

/** Takes the bytes of one answer apart. */
export class AnswerReader {
  readonly #method: string;
  readonly #limits: HeadLimits;
  readonly #events: AnswerEvents;
  /** The beginning of a head that is not complete yet. */
  #text = "";
  #informations = 0;
  #head: ResponseHead | undefined;
  /** Body bytes still to come; Infinity where the end of the connection ends the body. */
  #left = 0;
  #decoder: ChunkedDecoder | undefined;
  #over = false;

  constructor(method: string, limits: HeadLimits, events: AnswerEvents) {
    this.#method = method;
    this.#limits = limits;
    this.#events = events;
  }

  /** True once the final head was read. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  read(bytes: Buffer, length: number): void {
    let from = 0;
    while (this.#head === undefined) {
      if (this.#over) return;
      from = this.#readHead(bytes, from, length);
      if (from < 0) return;
    }
    if (!this.#over) this.#readBody(bytes, from, length);
  }

  /** The server has closed. True where that is the proper end of the body. */
  end(): boolean {
    if (this.#head === undefined || this.#left !== Infinity || this.#over) return false;
    this.#end("", false);
    return true;
  }

  /** What is still read is nobody's business. */
  stop(): void {
    this.#over = true;
  }

  /** The offset behind the head, or -1 where it is not complete or not valid. */
  #readHead(bytes: Buffer, from: number, length: number): number {
    const kept = this.#text.length;
    const text = this.#text + bytes.toString("latin1", from, length);
    const end = findHeadEnd(text, Math.max(0, kept - 3));
    if (end < 0) {
      this.#text = text;
      const problem = checkPartialResponse(text, this.#limits, kept);
      if (problem !== undefined) this.#malformed(problem.reason);
      return -1;
    }
    const head = parseResponseHead(text.slice(0, end), this.#method, this.#limits);
    if (head.kind === undefined) {
      this.#malformed(head.reason);
      return -1;
    }
    this.#text = "";
    const next = from + end - kept;
    // A 101 ends HTTP on this connection: what follows it belongs to the tunnel.
    if (head.status >= 200 || head.status === 101) this.#begin(head);
    else if (!this.#mayInform()) return -1;
    this.#events.onHead(head);
    return next;
  }

  #mayInform(): boolean {
    this.#informations += 1;
    if (this.#informations <= MAX_INFORMATIONS) return true;
    this.#malformed(`more than ${MAX_INFORMATIONS} answers before the final one`);
    return false;
  }

  #begin(head: ResponseHead): void {
    this.#head = head;
    if (head.framing === "chunked") this.#decoder = new ChunkedDecoder(head.nominated);
    else this.#left = head.framing === "close" || head.status === 101 ? Infinity : head.framing;
  }

  #readBody(bytes: Buffer, from: number, length: number): void {
    if (this.#decoder !== undefined) return this.#readChunks(this.#decoder, bytes, from, length);
    const to = Math.min(length, from + this.#left);
    this.#left -= to - from;
    if (to > from) this.#events.onBody(bytes, from, to);
    if (this.#left === 0 && !this.#over) this.#end("", to === length);
  }

  #readChunks(decoder: ChunkedDecoder, bytes: Buffer, from: number, length: number): void {
    const end = decoder.read(bytes, from, length, (_, start, to) => {
      if (!this.#over) this.#events.onBody(bytes, start, to);
    });
    if (this.#over) return;
    if (decoder.state === "malformed") this.#malformed(decoder.reason);
    else if (decoder.state === "done") this.#end(decoder.trailers, end === length);
  }

  #end(trailers: string, clean: boolean): void {
    this.#over = true;
    this.#events.onAnswerEnd(trailers, clean);
  }

  #malformed(reason: string): void {
    this.#over = true;
    this.#events.onMalformed(reason);
  }
}
