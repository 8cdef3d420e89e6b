import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { readRequest, type RawMessage } from "./raw-message.ts";
import type { Random } from "./random.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LARGE = "x".repeat(400_000);
const CHUNK = "4000\r\n" + "y".repeat(0x4000) + "\r\n";

/** What a request gets by the last part of its path. The number is one of 0 <= n < 1. */
const DEEDS = {
  ok: (socket: Socket) => socket.write(OK),
  large: (socket: Socket) => sendLarge(socket, LARGE.length),
  chunked: (socket: Socket) => sendChunks(socket, "0\r\n\r\n"),
  slow: (socket: Socket, n: number) => later(n * 100, () => socket.write(OK)),
  hang: () => {},
  "503": (socket: Socket) =>
    socket.write("HTTP/1.1 503 Unavailable\r\nContent-Length: 4\r\n\r\nbusy"),
  "reset-at-once": (socket: Socket) => socket.resetAndDestroy(),
  "close-at-once": (socket: Socket) => socket.end(),
  "reset-in-head": (socket: Socket, n: number) => breakAt(socket, OK, n * 30, "reset"),
  "close-in-head": (socket: Socket, n: number) => breakAt(socket, OK, n * 30, "close"),
  "stall-in-head": (socket: Socket, n: number) => socket.write(OK.slice(0, n * 30)),
  "reset-in-body": (socket: Socket, n: number) => {
    sendLarge(socket, n * LARGE.length);
    later(n * 5, () => socket.resetAndDestroy());
  },
  "close-in-body": (socket: Socket, n: number) => {
    sendLarge(socket, n * LARGE.length);
    socket.end();
  },
  "reset-in-chunk": (socket: Socket, n: number) => {
    sendChunks(socket, CHUNK.slice(0, n * CHUNK.length));
    later(n * 5, () => socket.resetAndDestroy());
  },
  "broken-chunk": (socket: Socket) => sendChunks(socket, "zz\r\n"),
  "until-close": (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nall there is"),
  "reset-behind": (socket: Socket, n: number) => {
    socket.write(OK);
    later(n * 10, () => socket.resetAndDestroy());
  },
  "close-behind": (socket: Socket) => socket.end(OK),
  "stray-behind": (socket: Socket, n: number) => {
    socket.write(OK);
    later(n * 10, () => socket.write(OK));
  },
  garbage: (socket: Socket, n: number) => socket.end(`${n}\u0000\r\n\r\n`),
  "huge-head": (socket: Socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${LARGE}\r\n\r\n`),
} as const satisfies Record<string, (socket: Socket, n: number) => unknown>;

export const CHAOS_DEEDS: readonly string[] = Object.keys(DEEDS);

/** A server on loopback that breaks in every way, as the request's path asks for, or at random. */
export async function startChaosServer(random: Random): Promise<ChaosServer> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new ChaosServer(server, random);
}

export class ChaosServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #random: Random;
  readonly #open = new Set<Socket>();

  constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #onConnection(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#open.delete(socket));
    socket.on("end", () => socket.end());
    if (this.#random.chance(0.01)) {
      socket.resetAndDestroy();
      return;
    }
    let unread = "";
    const onData = (bytes: Buffer): void => {
      unread += bytes.toString("latin1");
      const request = readRequest(unread);
      if (request === undefined) return;
      // Some do not wait for the end of the request's body.
      if (!request.complete && !this.#random.chance(0.1)) return;
      unread = request.complete ? unread.slice(request.byteLength) : "";
      if (request.fields.has("sec-websocket-key")) socket.off("data", onData);
      this.#serve(socket, request);
    };
    socket.on("data", onData);
  }

  #serve(socket: Socket, { startLine, fields }: RawMessage): void {
    if (fields.has("sec-websocket-key")) {
      socket.write("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi");
      socket.on("data", (bytes: Buffer) => this.#echo(socket, bytes));
      return;
    }
    const name = /\/([\w-]+) HTTP/.exec(startLine)?.[1];
    const deed = Object.entries(DEEDS).find(([known]) => known === name)?.[1];
    (deed ?? DEEDS.ok)(socket, this.#random.next());
  }

  #echo(socket: Socket, bytes: Buffer): void {
    const luck = this.#random.next();
    if (luck < 0.1) socket.resetAndDestroy();
    else if (luck < 0.2) socket.end();
    else socket.write(bytes);
  }
}

function sendLarge(socket: Socket, upTo: number): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`);
  socket.write(LARGE.slice(0, upTo));
}

function sendChunks(socket: Socket, last: string): void {
  socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  socket.write(CHUNK + CHUNK + last);
}

function breakAt(socket: Socket, text: string, length: number, end: "reset" | "close"): void {
  socket.write(text.slice(0, length), () => {
    if (end === "reset") socket.resetAndDestroy();
    else socket.end();
  });
}

function later(ms: number, deed: () => void): void {
  setTimeout(deed, ms);
}
