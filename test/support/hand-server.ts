import { EventEmitter, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { RawConnection } from "./raw-client.ts";
import { readRequest, type RawMessage } from "./raw-message.ts";

/** How long connections may take to close after the test is over, in milliseconds. */
const CLOSING_MS = 2_000;

export interface HandServerOptions {
  /** Path of a unix socket instead of a port. */
  readonly path?: string;
}

/** Starts a server whose every byte the test sends and reads by hand. */
export async function startHandServer({ path }: HandServerOptions = {}): Promise<HandServer> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  return new HandServer(server);
}

export class HandServer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #accepted: HandConnection[] = [];
  readonly #events = new EventEmitter();
  /** Connections accepted so far. */
  accepted = 0;

  constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.port = address === null || typeof address === "string" ? 0 : address.port;
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** The next connection that nobody has taken yet. */
  async accept(): Promise<HandConnection> {
    for (;;) {
      const connection = this.#accepted.shift();
      if (connection !== undefined) return connection;
      await once(this.#events, "accepted", { signal: AbortSignal.timeout(10_000) });
    }
  }

  /** Accepts, reads a request, and lets the test answer it. */
  async request(): Promise<HandConnection> {
    const connection = await this.accept();
    await connection.request();
    return connection;
  }

  /** Fails where connections do not end by themselves. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    const signal = AbortSignal.timeout(CLOSING_MS);
    while (this.#open.size > 0 && !signal.aborted) {
      await once(this.#events, "close", { signal }).catch(() => {});
    }
    const left = this.#open.size;
    for (const socket of this.#open) socket.destroy();
    await closed;
    if (left > 0) throw new Error(`${left} connections to the server were left open`);
  }

  #onConnection(socket: Socket): void {
    this.accepted += 1;
    this.#open.add(socket);
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#events.emit("close");
    });
    this.#accepted.push(new HandConnection(socket));
    this.#events.emit("accepted");
  }
}

/** One connection to a hand-driven server. */
export class HandConnection extends RawConnection {
  #endsAlike = true;

  constructor(socket: Socket) {
    super(socket, 10_000);
    socket.on("end", () => {
      if (this.#endsAlike) socket.end();
    });
  }

  /** From now on our side does not end just because the gateway's does. */
  endByHand(): void {
    this.#endsAlike = false;
  }

  /** Reads the next request, whole. */
  async request(): Promise<RawMessage> {
    let text = await this.until("\r\n\r\n");
    for (;;) {
      const request = readRequest(text);
      if (request?.complete === true) return request;
      text += await this.some();
    }
  }

  /** Answers with a length and keeps the connection; `fields` are whole lines. */
  reply(status: number, body = "", fields = ""): void {
    const length = `Content-Length: ${body.length}\r\n`;
    this.send(`HTTP/1.1 ${status} Scripted\r\n${length}${fields}\r\n${body}`);
  }
}
