import type { RequestBody } from "./request-body.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Up to this size body bytes travel in one string with what stands before them. */
const SMALL_BYTES = 8 * 1024;

/** Writes one request to one connection, as fast as the client brings it and the server takes it. */
export class RequestSender {
  readonly #connection: ServerConnection;
  readonly #body: RequestBody | undefined;
  readonly #isChunked: boolean;
  #text: string;
  /** Bytes handed to the connection. */
  sentBytes = 0;
  /** True once the last byte was handed over. */
  complete = false;
  /** True where nothing more will be handed over. */
  done = false;

  constructor(connection: ServerConnection, headText: string, body: RequestBody | undefined) {
    this.#connection = connection;
    this.#text = headText;
    this.#body = body;
    this.#isChunked = body?.framing === "chunked";
  }

  /** Sends what there is, until the connection is full. */
  pump(): void {
    if (this.#body !== undefined) this.#pumpBody(this.#body);
    else this.done = this.complete = true;
    this.#flush();
  }

  /** The server gets no more: who reads the body from now on is another. */
  stop(): void {
    this.done = true;
  }

  #pumpBody(body: RequestBody): void {
    while (!this.done && !this.#connection.needsDrain) {
      const piece = body.read();
      if (piece === "later") return;
      if (piece === "end") this.#end(body);
      else this.#send(piece);
    }
  }

  #send(piece: Buffer): void {
    if (this.#isChunked) this.#text += `${piece.length.toString(16)}\r\n`;
    if (piece.length <= SMALL_BYTES) this.#text += piece.toString("latin1");
    else this.#writeLarge(piece);
    if (this.#isChunked) this.#text += "\r\n";
    if (this.#text.length > SMALL_BYTES) this.#flush();
  }

  #writeLarge(piece: Buffer): void {
    this.sentBytes += piece.length;
    this.#connection.cork();
    this.#flush();
    this.#connection.write(piece);
    this.#connection.uncork();
  }

  #end(body: RequestBody): void {
    this.done = this.complete = true;
    if (this.#isChunked) this.#text += `0\r\n${body.trailers}\r\n`;
  }

  #flush(): void {
    if (this.#text === "") return;
    this.sentBytes += this.#text.length;
    this.#connection.write(this.#text);
    this.#text = "";
  }
}
