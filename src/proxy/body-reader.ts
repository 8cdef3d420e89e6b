import type { ErrorCode } from "../errors.ts";
import { ChunkedDecoder } from "../http1/chunked.ts";
import { takeBytes } from "./read-buffer.ts";
import type { RequestBody } from "./request-body.ts";

export interface BodyProblem {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
}

/** Cuts one request's body out of what its client sends. */
export class BodyReader {
  readonly #body: RequestBody;
  readonly #maxBytes: number;
  readonly #decoder: ChunkedDecoder | undefined;
  /** Bytes left of a body with a length. */
  #left: number;

  /** `nominated`: lower-case names of trailers that go no further. `maxBytes`: 0 = no limit. */
  constructor(body: RequestBody, nominated: ReadonlySet<string>, maxBytes: number) {
    this.#body = body;
    this.#maxBytes = maxBytes;
    this.#decoder = body.framing === "chunked" ? new ChunkedDecoder(nominated) : undefined;
    this.#left = typeof body.framing === "number" ? body.framing : 0;
  }

  /** Why the body cannot be taken, as far as can be told by now. */
  get problem(): BodyProblem | undefined {
    if (this.#decoder?.state === "malformed") {
      return { code: "BAD_REQUEST", detail: `the body: ${this.#decoder.reason}` };
    }
    const bytes = this.#body.received + this.#left;
    if (this.#maxBytes === 0 || bytes <= this.#maxBytes) return undefined;
    return { code: "BODY_TOO_LARGE", detail: undefined };
  }

  /** Takes what belongs to the body over, and tells how many bytes that were. */
  read(bytes: Buffer): number {
    if (this.#decoder !== undefined) return this.#readChunks(this.#decoder, bytes);
    const used = Math.min(bytes.length, this.#left);
    this.#left -= used;
    this.#body.append(takeBytes(bytes.subarray(0, used)));
    this.#body.complete = this.#left === 0;
    return used;
  }

  #readChunks(decoder: ChunkedDecoder, bytes: Buffer): number {
    // Moved together where they stand: pieces of one byte would cost a hundred times their size.
    let start = 0;
    let end = 0;
    const used = decoder.read(bytes, 0, bytes.length, (_, from, to) => {
      if (end === 0) start = end = from;
      else bytes.copyWithin(end, from, to);
      end += to - from;
    });
    if (end > start) this.#body.append(takeBytes(bytes.subarray(start, end)));
    this.#body.trailers = decoder.trailers;
    this.#body.complete = decoder.state === "done";
    return used;
  }
}
