import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import type { Target } from "./raw-client.ts";

interface Options {
  /** Said to each client in one packet with the 101. */
  readonly greeting?: string;
  readonly perMessageDeflate?: object;
  /** That a client asks for. */
  readonly path?: string;
}

const LARGEST_BYTES = 200 * 1024 * 1024;
/** How long connections may take to close after the test is over, in milliseconds. */
const CLOSING_MS = 2_000;
const TIMEOUT_MS = 20_000;

/** A server of the ws package that sends every message back. */
export async function startSocketServer(options: Options = {}): Promise<SocketServer> {
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return new SocketServer(http, options);
}

/** A WebSocket that keeps its messages until the test asks for them. */
export class TestSocket implements AsyncDisposable {
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    INBOXES.set(socket, new Inbox(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await closeOf(this.socket);
  }
}

export class SocketServer implements AsyncDisposable {
  readonly port: number;
  readonly #http: Server;
  readonly #accepted: TestSocket[] = [];
  readonly #open = new Set<WebSocket>();
  readonly #events = new EventEmitter();

  constructor(http: Server, { greeting, perMessageDeflate }: Options) {
    this.#http = http;
    const address = http.address();
    this.port = address === null || typeof address === "string" ? 0 : address.port;
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: LARGEST_BYTES,
      perMessageDeflate: perMessageDeflate ?? false,
    });
    http.on("upgrade", (request, stream, head) => {
      stream.cork();
      server.handleUpgrade(request, stream, head, (socket) => {
        if (greeting !== undefined) socket.send(greeting);
        stream.uncork();
        this.#onSocket(socket);
      });
    });
  }

  /** The next client that the test has not taken yet. */
  async accept(): Promise<TestSocket> {
    for (;;) {
      const socket = this.#accepted.shift();
      if (socket !== undefined) return socket;
      await once(this.#events, "accepted", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    }
  }

  /** Fails where connections do not end by themselves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#http, "close");
    this.#http.close();
    const signal = AbortSignal.timeout(CLOSING_MS);
    while (this.#open.size > 0 && !signal.aborted) {
      await once(this.#events, "closed", { signal }).catch(() => {});
    }
    const left = this.#open.size;
    for (const socket of this.#open) socket.terminate();
    this.#http.closeAllConnections();
    await closed;
    if (left > 0) throw new Error(`${left} WebSockets to the server were left open`);
  }

  #onSocket(socket: WebSocket): void {
    this.#open.add(socket);
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#events.emit("closed");
    });
    socket.on("message", (data: RawData, isBinary) => socket.send(data, { binary: isBinary }));
    this.#accepted.push(new TestSocket(socket));
    this.#events.emit("accepted");
  }
}

export async function connectSocket(target: Target, options: Options = {}): Promise<TestSocket> {
  if (!("port" in target)) throw new Error("the ws package connects to a port");
  const socket = new WebSocket(`ws://127.0.0.1:${target.port}${options.path ?? "/"}`, {
    perMessageDeflate: options.perMessageDeflate ?? false,
    maxPayload: LARGEST_BYTES,
  });
  const connected = new TestSocket(socket);
  await once(socket, "open");
  return connected;
}

/** The next messages, as they came. */
export async function messages(socket: WebSocket, count: number): Promise<readonly Buffer[]> {
  return await inboxOf(socket).take(count);
}

/** With what code and reason it was closed, as soon as it is. */
export async function closeOf(socket: WebSocket): Promise<readonly [number, string]> {
  return await inboxOf(socket).closed;
}

const INBOXES = new WeakMap<WebSocket, Inbox>();

function inboxOf(socket: WebSocket): Inbox {
  const inbox = INBOXES.get(socket);
  if (inbox === undefined) throw new Error("a socket of somebody else");
  return inbox;
}

class Inbox {
  readonly closed: Promise<readonly [number, string]>;
  readonly #messages: Buffer[] = [];
  readonly #events = new EventEmitter();

  constructor(socket: WebSocket) {
    socket.on("error", () => {});
    socket.on("message", (data: RawData) => {
      if (Buffer.isBuffer(data)) this.#messages.push(data);
      this.#events.emit("message");
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve([code, reason.toString()]));
    });
  }

  async take(count: number): Promise<readonly Buffer[]> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (this.#messages.length < count) await once(this.#events, "message", { signal });
    return this.#messages.splice(0, count);
  }
}
