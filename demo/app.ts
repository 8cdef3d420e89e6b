/**
 * A small app to stand behind the gateway, which can be told to misbehave:
 * `node demo/app.ts --port 3001 --pool blue --release v1`. Prints one line `ready <port>`.
 * It speaks WebSocket and Socket.IO, too: app-sockets.ts.
 * With `--arrivals FILE` every plain request stands there, as `METHOD X-Echo-Id`, before it is served.
 */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isForSockets, speakSockets } from "./app-sockets.ts";

const { values: flags } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: process.env["PORT"] ?? "3000" },
    pool: { type: "string", default: process.env["APP_POOL"] ?? "blue" },
    release: { type: "string", default: process.env["RELEASE_ID"] ?? "v1" },
    arrivals: { type: "string" },
  },
});

const CHAOS_MODES = ["error", "timeout", "slow", "close"] as const;
const SLOW_MS = 2_000;
/** What requests and sockets get to end after SIGTERM, in milliseconds. */
const END_MS = 1_000;
const MAX_BODY_BYTES = 10_000_000;

let chaos: (typeof CHAOS_MODES)[number] | undefined;

const server = createServer({ shouldUpgradeCallback: isForSockets }, (request, response) => {
  handle(request, response).catch(() => response.destroy());
});
speakSockets(server, { pool: flags.pool, release: flags.release });

server.listen(Number(flags.port), flags.host, () => {
  process.stdout.write(`ready ${portOf(server.address())}\n`);
});

process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  // Connections of the server do not include those that became sockets.
  setTimeout(() => process.exit(0), END_MS).unref();
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://app");
  response.setHeader("X-App-Pool", flags.pool);
  response.setHeader("X-Release-Id", flags.release);
  const id = request.headers["x-echo-id"];
  if (id !== undefined) response.setHeader("X-Echo-Id", id);
  // Written at once, so that a kill loses none.
  if (flags.arrivals !== undefined)
    appendFileSync(flags.arrivals, `${request.method} ${id?.toString() ?? "-"}\n`);

  if (url.pathname.startsWith("/chaos/")) setChaos(url, response);
  else if (await survives(request, response)) await serve(url.pathname, request, response);
}

/** False where the chaos in force has dealt with the request. */
async function survives(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  if (chaos === "slow") await after(SLOW_MS);
  if (chaos === undefined || chaos === "slow") return true;
  request.resume();
  if (chaos === "error") json(response, 503, { status: "error", pool: flags.pool });
  if (chaos === "close") request.socket.resetAndDestroy();
  return false;
}

async function serve(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const { pool, release } = flags;
  if (path === "/") page(response);
  else if (path === "/version") json(response, 200, { pool, release, status: "ok" });
  else if (path === "/healthz") json(response, 200, { status: "ok" });
  else if (path === "/echo") echo(request, response, body);
  else json(response, 404, { status: "not found", path });
}

function setChaos(url: URL, response: ServerResponse): void {
  const wanted = url.searchParams.get("mode") ?? "error";
  const mode = CHAOS_MODES.find((known) => known === wanted);
  if (url.pathname === "/chaos/stop") chaos = undefined;
  else if (url.pathname === "/chaos/start" && mode !== undefined) chaos = mode;
  else {
    json(response, 400, { status: "unknown chaos", modes: CHAOS_MODES });
    return;
  }
  json(response, 200, { pool: flags.pool, chaos: chaos ?? "none" });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new Error(`body of more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The body as it came; where there was none, what else came. */
function echo(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const { method } = request;
  response.setHeader("X-Echo-Method", method ?? "");
  if (body.length === 0) {
    json(response, 200, { method, id: request.headers["x-echo-id"] });
    return;
  }
  const type = request.headers["content-type"] ?? "application/octet-stream";
  response.writeHead(200, { "Content-Type": type, "Content-Length": body.length }).end(body);
}

function page(response: ServerResponse): void {
  const html =
    "<!doctype html><meta charset=utf-8><title>demo</title>" +
    `<body style="font: 5vw sans-serif; color: ${cssColour(flags.pool)}">` +
    `<p>${escapeHtml(flags.pool)} plays ${escapeHtml(flags.release)}</p>\n`;
  response
    .writeHead(200, { "Content-Type": "text/html", "Content-Length": Buffer.byteLength(html) })
    .end(html);
}

function json(response: ServerResponse, status: number, value: object): void {
  const text = `${JSON.stringify(value)}\n`;
  response
    .writeHead(status, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(text),
    })
    .end(text);
}

function cssColour(pool: string): string {
  return /^[a-z]+$/.test(pool) ? pool : "inherit";
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("no port is open");
  return address.port;
}
