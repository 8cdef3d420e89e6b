import { endExtension, stepExtension } from "./chunk-extension.ts";
import type { ExtensionStep } from "./chunk-extension.ts";
import { isText } from "./octets.ts";
import { readTrailer } from "./trailers.ts";

/** Where a run of body bytes goes: bytes[from, to). */
export type BodySink = (bytes: Uint8Array, from: number, to: number) => void;

/** Bytes of chunk extensions in one message; they say nothing that is understood here. */
const MAX_EXTENSION_BYTES = 4096;
/** Bytes of all trailer lines of one message. */
const MAX_TRAILER_BYTES = 16_384;
/** Digits of a chunk size, leading zeros included; 2^53-1 has 14. */
const MAX_SIZE_DIGITS = 16;

/** What the next byte belongs to. */
type Step =
  | "size"
  | "extension"
  | "end of size"
  | "data"
  | "end of data"
  | "line feed of data"
  | "trailer"
  | "end of trailer";

const NONE: ReadonlySet<string> = new Set();
const LF = 0x0a;
const CR = 0x0d;

/** Reads one chunked body (RFC 9112 7.1), which may come in pieces cut at any byte. */
export class ChunkedDecoder {
  #state: "more" | "done" | "malformed" = "more";
  #reason = "";
  #trailers = "";
  #step: Step = "size";
  #extensionStep: ExtensionStep = "name";
  /** Of the chunk, or what is left of it. */
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #line = "";
  readonly #nominated: ReadonlySet<string>;

  /** `nominated`: lower-case names of fields that are for this connection only. */
  constructor(nominated: ReadonlySet<string> = NONE) {
    this.#nominated = nominated;
  }

  get state(): "more" | "done" | "malformed" {
    return this.#state;
  }

  /** Why it is malformed; "" if it is not. */
  get reason(): string {
    return this.#reason;
  }

  /** Checked trailer lines that may go on, each with its CRLF; complete once done. */
  get trailers(): string {
    return this.#trailers;
  }

  /**
   * Reads bytes[start, end) and hands each run of body bytes to `sink`. Returns the offset behind
   * the last byte taken: less than `end` only when done or malformed.
   */
  read(bytes: Uint8Array, start: number, end: number, sink: BodySink): number {
    let at = start;
    while (at < end && this.#state === "more") {
      const step = this.#step;
      if (step === "data") {
        const to = Math.min(end, at + this.#size);
        sink(bytes, at, to);
        this.#size -= to - at;
        if (this.#size === 0) this.#step = "end of data";
        at = to;
      } else {
        const code = bytes[at];
        if (code === undefined) return at;
        this.#take(code, step);
        if (this.#reason !== "") return at;
        at += 1;
      }
    }
    return at;
  }

  #take(code: number, step: Exclude<Step, "data">): void {
    switch (step) {
      case "size":
        return this.#takeSize(code);
      case "extension":
        return this.#takeExtension(code);
      case "end of size":
        return this.#endSize(code);
      case "end of data":
        return this.#expect(CR, code, "line feed of data", "chunk longer than its size");
      case "line feed of data":
        return this.#expect(LF, code, "size", "chunk not ended by CRLF");
      case "trailer":
        return this.#takeTrailer(code);
      case "end of trailer":
        return this.#endTrailer(code);
    }
  }

  #takeSize(code: number): void {
    const digit = hexDigit(code);
    if (digit === -1) {
      if (this.#digits === 0) return this.#refuse("chunk without a size");
      const next = endExtension(code);
      return this.#goOn(next, "chunk size with a character that is not a hex digit");
    }
    this.#digits += 1;
    this.#size = this.#size * 16 + digit;
    if (this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER) {
      this.#refuse("chunk size too large");
    }
  }

  #takeExtension(code: number): void {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES) this.#refuse("chunk extensions too long");
    else this.#goOn(stepExtension(this.#extensionStep, code), "malformed chunk extension");
  }

  #goOn(next: ExtensionStep | "end" | undefined, wrong: string): void {
    if (next === undefined) return this.#refuse(wrong);
    if (next === "end") {
      this.#step = "end of size";
      return;
    }
    this.#step = "extension";
    this.#extensionStep = next;
  }

  #endSize(code: number): void {
    this.#digits = 0;
    this.#expect(LF, code, this.#size === 0 ? "trailer" : "data", "chunk size not ended by CRLF");
  }

  #takeTrailer(code: number): void {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) return this.#refuse("trailers too long");
    if (code === CR) this.#step = "end of trailer";
    else if (isText(code)) this.#line += String.fromCharCode(code);
    else this.#refuse("trailer with a character that is not allowed");
  }

  #endTrailer(code: number): void {
    if (code !== LF) return this.#refuse("trailer not ended by CRLF");
    if (this.#line === "") {
      this.#state = "done";
      return;
    }
    const passed = readTrailer(this.#line, this.#nominated);
    if (passed === undefined) return this.#refuse("malformed trailer");
    this.#trailers += passed;
    this.#line = "";
    this.#step = "trailer";
  }

  #expect(wanted: number, code: number, next: Step, wrong: string): void {
    if (code === wanted) this.#step = next;
    else this.#refuse(wrong);
  }

  #refuse(reason: string): void {
    this.#state = "malformed";
    this.#reason = reason;
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
