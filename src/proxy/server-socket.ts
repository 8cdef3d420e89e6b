import { Socket } from "node:net";

/**
 * A socket that still reads once writing has failed. A server may answer and close before it has
 * read the whole request: Node would throw the answer away as soon as a write meets the RST.
 */
export class ServerSocket extends Socket {
  #writeError: Error | undefined;
  #hasEnded = false;

  override destroy(error?: Error): this {
    const isOfWriting = error !== undefined && WRITING.has(syscallOf(error));
    if (!isOfWriting || this.#hasEnded || this.connecting) return super.destroy(error);
    this.#writeError ??= error;
    return this;
  }

  /** Node tells the end of what is read by pushing null. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const takesMore = super.push(chunk, encoding);
    if (chunk !== null) return takesMore;
    this.#hasEnded = true;
    if (this.#writeError !== undefined) super.destroy(this.#writeError);
    return takesMore;
  }
}

const WRITING = new Set(["write", "shutdown"]);

function syscallOf(error: Error): string {
  return "syscall" in error && typeof error.syscall === "string" ? error.syscall : "";
}
