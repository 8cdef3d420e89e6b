/**
 * The app behind the proxies: `node bench/app/app.ts --port 3001 --pool primary --arrivals FILE`, with
 * a channel to whoever started it. Raw sockets, because it must cost less than any proxy.
 */
import { createHash } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { type Mode, ORDER } from "./control.ts";
import { echoBodyOf, NOBODY } from "./echo-body.ts";
import { fieldOf, type Request, RequestReader } from "./request-reader.ts";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    pool: { type: "string", default: "primary" },
    arrivals: { type: "string", default: "/dev/null" },
  },
});

const SLOW_MS = 2_000;
const LONGEST_IDLE_MS = 20;
/** Between the first half of a body and the reset: time for the proxy to pass it on. */
const RESET_AFTER_MS = 20;

let mode: Mode = "ok";
let served = 0;
let echoed = 0;
const arrivals = openSync(flags.arrivals, "a");

const json = answer("200 OK", JSON.stringify({ user: "x".repeat(125) }));
const ANSWERS: ReadonlyMap<string, Buffer> = new Map([
  ["/json", json],
  ["/sink", json],
  ["/64k", answer("200 OK", "x".repeat(64 * 1024))],
  ["/1m", answer("200 OK", "x".repeat(1024 * 1024))],
]);

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new RequestReader((request) => serve(socket, request));
  socket.on("data", (bytes: Buffer) => {
    socket.cork();
    reader.push(bytes);
    socket.uncork();
  });
  socket.on("error", () => socket.destroy());
});
server.listen({ port: Number(flags.port), host: "127.0.0.1", backlog: 4096 }, report);

process.on("message", (order) => {
  mode = ORDER.parse(order).mode ?? mode;
  report();
});
process.once("disconnect", () => process.exit());

function report(): void {
  process.send?.({ served });
}

function serve(socket: Socket, request: Request): void {
  if (request.path === "/echo") return echo(socket, request);
  if (request.path === "/tunnel") return tunnel(socket, request);
  const known = ANSWERS.get(request.path);
  if (known === undefined) return check(socket, request);
  served++;
  socket.write(known);
}

/** `/healthz`, or whatever else a proxy asks to see whether somebody is there. */
function check(socket: Socket, request: Request): void {
  const bytes = answer(mode === "error" ? "503 Service Unavailable" : "200 OK", "checked\n");
  socket.write(
    request.method === "HEAD" ? bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4) : bytes,
  );
}

function echo(socket: Socket, { method, head, body }: Request): void {
  const id = fieldOf(head, "x-echo-id");
  // Written at once, so that a kill loses none. Requests without an id come by the ten thousand.
  if (id !== undefined) writeSync(arrivals, `${Date.now()} ${method} ${id}\n`);
  const name = id ?? NOBODY;
  const send = () => reply(socket, name, method === "POST" ? body : echoBodyOf(name));
  if (mode === "slow" && ++echoed % 10 === 0) setTimeout(send, SLOW_MS);
  else send();
}

function reply(socket: Socket, id: string, body: string): void {
  served++;
  const fields = `X-Echo-Id: ${id}\r\n`;
  const status = mode === "error" ? "503 Service Unavailable" : "200 OK";
  const bytes = answer(status, mode === "error" ? "overloaded\n" : body, fields);
  if (mode === "reset") {
    socket.write(bytes.subarray(0, bytes.length - body.length / 2));
    setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
    return;
  }
  socket.write(bytes);
  if (mode === "idle-close") closeOnceIdle(socket);
}

/** Ends the connection after a while, unless another request has come by then. */
function closeOnceIdle(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), Math.random() * LONGEST_IDLE_MS);
  socket.once("data", () => clearTimeout(timer));
}

/** After the upgrade every byte comes back. */
function tunnel(socket: Socket, { head }: Request): void {
  const key = `${fieldOf(head, "sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.removeAllListeners("data");
  socket.on("data", (bytes) => socket.write(bytes));
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

function answer(status: string, body: string, fields = ""): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nX-App-Pool: ${flags.pool}\r\n${fields}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
    "latin1",
  );
}
