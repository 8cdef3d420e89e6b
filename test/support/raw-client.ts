import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { readAnswer, statusOf, type RawMessage } from "./raw-message.ts";

/** Where to connect to: a port (on loopback without a `host`) or the path of a unix socket. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string };

export interface Answer extends RawMessage {
  readonly status: number;
  /** Statuses of the 1xx answers before it. */
  readonly informational: readonly number[];
}

/** How the peer ended the connection: in order (FIN) or not (RST). */
export type End = "closed" | "reset";

/** Default for every wait, in milliseconds. */
const TIMEOUT_MS = 10_000;

const PIECE_BYTES = 256 * 1024;

/** What is not written takes its default: `GET /`, no body; `Host` and `Content-Length` are added. */
export interface RequestText {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function requestText({
  method = "GET",
  path = "/",
  fields = {},
  body = "",
}: RequestText): string {
  const all = { Host: "gateway.test", ...(body && { "Content-Length": body.length }), ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** One request on a connection of its own. Undefined: the connection ended before an answer. */
export async function ask(target: Target, request: RequestText = {}): Promise<Answer | undefined> {
  await using connection = await connectRaw(target);
  connection.send(requestText(request));
  return await connection.answer(request.method);
}

/** Every wait on the connection fails after `timeoutMs`. */
export async function connectRaw(target: Target, timeoutMs = TIMEOUT_MS): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", allowHalfOpen: true, ...target });
  await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) });
  return new RawConnection(socket, timeoutMs);
}

/** Several connections that are left together. */
export async function connectMany(target: Target, count: number): Promise<RawConnections> {
  const all = Array.from({ length: count }, async () => await connectRaw(target));
  return new RawConnections(await Promise.all(all));
}

export class RawConnections implements AsyncDisposable {
  readonly all: readonly RawConnection[];

  constructor(all: readonly RawConnection[]) {
    this.all = all;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(async (one) => await one[Symbol.asyncDispose]()));
  }
}

/** A client that sends any bytes and sees exactly what comes back. Text is latin1 both ways. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #events = new EventEmitter();
  #unread = "";
  #pendingBytes = 0;
  #ended: End | undefined;

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#onChange(() => (this.#unread += bytes.toString("latin1"))));
    socket.on("end", () => this.#onChange(() => (this.#ended ??= "closed")));
    socket.on("error", () => this.#onChange(() => (this.#ended ??= "reset")));
  }

  /** Bytes of sendInPieces() that have not left this process. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** What came and was not taken yet. */
  get unread(): string {
    return this.#unread;
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** Sends a long body as fast as the peer takes it. */
  sendInPieces(bytes: Uint8Array): void {
    this.#pendingBytes = bytes.length;
    const sendFrom = (at: number): void => {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      if (piece.length === 0) return;
      this.#socket.write(piece, (error) => {
        this.#pendingBytes -= piece.length;
        if (!error) sendFrom(at + piece.length);
      });
    };
    sendFrom(0);
  }

  /**
   * The next final answer, whole, or as far as it came before the connection ended. Undefined: the
   * connection ended before the answer's head was whole.
   */
  async answer(method = "GET"): Promise<Answer | undefined> {
    const informational: number[] = [];
    for (;;) {
      const message = await this.#wait(`answer to ${method}`, () => this.#readAnswer(method));
      if (message === "none") return undefined;
      this.#unread = this.#unread.slice(message.byteLength);
      const status = statusOf(message.startLine);
      const isInformation = status >= 100 && status < 200 && status !== 101;
      if (!isInformation) return { ...message, status, informational };
      informational.push(status);
    }
  }

  /** Takes the next `length` bytes. */
  async bytes(length: number): Promise<string> {
    await this.#wait(`${length} bytes`, () => (this.#unread.length < length ? undefined : true));
    const bytes = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return bytes;
  }

  /** Takes what comes up to and with `mark`. */
  async until(mark: string): Promise<string> {
    const find = (): number | undefined => {
      const at = this.#unread.indexOf(mark);
      return at === -1 ? undefined : at + mark.length;
    };
    return await this.bytes(await this.#wait(JSON.stringify(mark), find));
  }

  /** Takes whatever comes next, at least one byte. */
  async some(): Promise<string> {
    return await this.bytes(await this.#wait("byte", () => this.#unread.length || undefined));
  }

  /** Waits for the peer to end the connection. */
  async end(): Promise<End> {
    return await this.#wait("end", () => this.#ended);
  }

  /** Ends our side in order (FIN); the peer may go on sending. */
  finish(): void {
    this.#socket.end();
  }

  /** Leaves as a client does that closes its socket. */
  leave(): void {
    this.#socket.destroy();
  }

  /** Leaves with a RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Stops reading, so that the peer's writes fill the buffers between. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  #readAnswer(method: string): RawMessage | "none" | undefined {
    const ended = this.#ended !== undefined;
    const message = readAnswer(this.#unread, method, this.#ended === "closed");
    if (message?.complete === true) return message;
    return ended ? (message ?? "none") : undefined;
  }

  #onChange(change: () => unknown): void {
    change();
    this.#events.emit("change");
  }

  async #wait<T>(what: string, read: () => T | undefined): Promise<T> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    for (;;) {
      const value = read();
      if (value !== undefined) return value;
      try {
        await once(this.#events, "change", { signal });
      } catch (cause) {
        const got = JSON.stringify(this.#unread.slice(0, 500));
        throw new Error(`no ${what} within ${this.#timeoutMs} ms, only ${got}`, { cause });
      }
    }
  }
}
