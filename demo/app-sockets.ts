import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { Server as SocketIoServer } from "socket.io";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

/** Who answers, as every client is told. */
export interface Signature {
  readonly pool: string;
  readonly release: string;
}

const TICK_MS = 1_000;
const WEB_SOCKET_PATH = "/ws";
const SOCKET_IO_PATH = "/socket.io/";

/**
 * WebSocket on `/ws`: every message comes back, and once a second the signature as JSON.
 * Socket.IO on `/socket.io/`: the event `app` with the signature at the start; `echo` is
 * acknowledged with its value.
 */
export function speakSockets(server: HttpServer, signature: Signature): void {
  const plain = new WebSocketServer({ noServer: true });
  plain.on("connection", (socket) => talk(socket, JSON.stringify(signature)));
  plain.on("headers", (lines) => {
    lines.push(...Object.entries(fieldsOf(signature)).map(([name, value]) => `${name}: ${value}`));
  });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    if (pathOf(request) !== WEB_SOCKET_PATH) return;
    plain.handleUpgrade(request, stream, head, (socket) => plain.emit("connection", socket));
  });
  speakSocketIo(server, signature);
}

/** Upgrades of other paths are left to plain HTTP. */
export function isForSockets(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return path === WEB_SOCKET_PATH || path === SOCKET_IO_PATH;
}

function talk(socket: WebSocket, signature: string): void {
  const tick = setInterval(() => socket.send(signature), TICK_MS);
  // Its close follows, and says all that matters.
  socket.on("error", () => {});
  socket.on("close", () => clearInterval(tick));
  socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
  socket.send(signature);
}

function speakSocketIo(server: HttpServer, signature: Signature): void {
  const io = new SocketIoServer(server, { path: SOCKET_IO_PATH, serveClient: false });
  io.engine.on("headers", (fields: object) => Object.assign(fields, fieldsOf(signature)));
  io.on("connection", (socket) => {
    socket.on("echo", (value: unknown, acknowledge: unknown) => {
      if (typeof acknowledge === "function") acknowledge(value);
    });
    socket.emit("app", signature);
  });
}

function fieldsOf({ pool, release }: Signature) {
  return { "X-App-Pool": pool, "X-Release-Id": release };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}
