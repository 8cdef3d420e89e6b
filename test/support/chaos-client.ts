import { connect, type Socket } from "node:net";
import { CHAOS_DEEDS } from "./chaos-server.ts";
import type { Random } from "./random.ts";

/** How long a client that does not leave waits for the gateway to end the story, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Every phase in which a client may leave. */
const STORIES = {
  "leaves without a word": () => "",
  "leaves within its head": (random: Random) => partOf(random, get(random)),
  "leaves within its body": (random: Random) => partOf(random, post(random)),
  "leaves within its chunks": (random: Random) => partOf(random, chunkedPost(random)),
  "leaves while it waits": (random: Random) => get(random),
  "leaves behind its body": (random: Random) => post(random),
  "leaves a pipeline": (random: Random) =>
    Array.from({ length: 1 + random.below(8) }, () => anyRequest(random)).join(""),
  "leaves a tunnel": (random: Random) => upgrade(random) + random.bytes(random.below(2000)),
  "sends garbage": (random: Random) => random.bytes(random.below(300)),
  "sends a mutated request": (random: Random) => mutated(random, anyRequest(random)),
} as const satisfies Record<string, (random: Random) => string>;

export const CHAOS_STORIES: readonly string[] = Object.keys(STORIES);

export interface Misdeed {
  readonly story: string;
  /** Whether its connection came to an end. */
  readonly isOver: boolean;
}

/** One connection of a client that misbehaves, until it is closed or has waited long enough. */
export async function misbehave(port: number, random: Random): Promise<Misdeed> {
  const [story, write] = random.pick(Object.entries(STORIES));
  const socket = connect(port, "127.0.0.1");
  const closed = closeOf(socket);
  socket.on("error", () => {});
  socket.on("connect", () => {
    if (!socket.destroyed) socket.write(write(random), "latin1");
  });
  if (random.chance(0.3)) readSlowly(socket, random);
  else socket.resume();
  leaveSometime(socket, random);
  return { story, isOver: await closed };
}

/** A client that stays, its request whole or not; resolves with true when it got an end. */
export async function behave(port: number, random: Random): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const closed = closeOf(socket);
  socket.on("error", () => {});
  const request = anyRequest(random, "Connection: close\r\n");
  socket.write(random.chance(0.9) ? request : partOf(random, request), "latin1");
  if (random.chance(0.2)) readSlowly(socket, random);
  else socket.resume();
  return await closed;
}

/** Resolves with true when it is closed, with false where that does not happen. */
async function closeOf(socket: Socket): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
      socket.destroy();
    }, PATIENCE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function leaveSometime(socket: Socket, random: Random): void {
  let left = false;
  const leave = (): void => {
    if (!left) leaveBy(socket, random.pick(["close", "reset", "finish"]));
    left = true;
  };
  const first = random.pick(["connect", "data", "none"]);
  if (first !== "none") socket.once(first, leave);
  setTimeout(leave, random.below(60));
}

export function leaveBy(socket: Socket, way: "close" | "reset" | "finish"): void {
  // Where its end is on its way, also in answer to the other side's, Node's reset fails, and the
  // socket is never closed.
  if (way === "reset" && !socket.writableEnded) socket.resetAndDestroy();
  else if (way === "finish") socket.end();
  else socket.destroy();
}

function readSlowly(socket: Socket, random: Random): void {
  socket.on("data", () => {
    socket.pause();
    setTimeout(() => socket.resume(), random.below(30));
  });
}

function anyRequest(random: Random, fields = ""): string {
  return random.pick([get, get, post, chunkedPost])(random, fields);
}

function get(random: Random, fields = ""): string {
  return `${random.pick(["GET", "GET", "HEAD", "DELETE"])} ${head(random, fields)}\r\n`;
}

function post(random: Random, fields = ""): string {
  const body = "b".repeat(random.below(random.chance(0.1) ? 200_000 : 3_000));
  const method = random.pick(["POST", "PUT"]);
  return `${method} ${head(random, fields)}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function chunkedPost(random: Random, fields = ""): string {
  const chunks = Array.from({ length: random.below(5) }, () => {
    const chunk = "c".repeat(1 + random.below(2_000));
    return `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  });
  const framing = `Transfer-Encoding: chunked\r\n`;
  return `POST ${head(random, fields)}${framing}\r\n${chunks.join("")}0\r\n\r\n`;
}

export function upgrade(random: Random): string {
  const fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  return `GET ${head(random, `${fields}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`)}\r\n`;
}

function head(random: Random, fields: string): string {
  const group = random.pick(["calm", "nervous"]);
  return `/${group}/${random.pick(CHAOS_DEEDS)} HTTP/1.1\r\nHost: gateway.test\r\n${fields}`;
}

function partOf(random: Random, text: string): string {
  return text.slice(0, random.below(text.length));
}

function mutated(random: Random, text: string): string {
  const at = random.below(text.length);
  return text.slice(0, at) + random.bytes(random.below(4)) + text.slice(at + random.below(4));
}
