import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { ask, connectRaw, requestText, type Answer } from "../support/raw-client.ts";
import { startCast, type Cast } from "./cast.ts";
import type { Gateway, LogLine, StartGateway } from "./gateway.ts";
import type { Outcome, Step, Vector } from "./vector.ts";

/** Plays a vector on a gateway of its own, and says what came of each of its steps. */
export async function play(vector: Vector, start: StartGateway): Promise<readonly Outcome[]> {
  await using cast = await startCast(vector.players);
  await using gateway = await start({ servers: cast.facts, rules: vector.rules });
  const stage: Stage = { gateway, cast, requests: 0 };
  const seen: Seen[] = [];
  for (const step of vector.steps) seen.push(...(await playStep(step, stage)));
  const log = await gateway.stop();
  return seen.map(({ path, client, seconds }) => {
    const { status, upstreamAddr, upstreamStatus } = logged(log, path, cast);
    return { client, seconds, status, upstreamAddr, upstreamStatus };
  });
}

/** What a vector expects, in the order in which `play` tells what came. */
export function expectedOf(steps: readonly Step[]): readonly Outcome[] {
  return steps.flatMap((step) => [step.expected, ...expectedOf(step.meanwhile)]);
}

interface Stage {
  readonly gateway: Gateway;
  readonly cast: Cast;
  /** Requests so far: each has a path of its own, by which its log line is found. */
  requests: number;
}

/** What the client saw of a request. */
interface Seen {
  readonly path: string;
  readonly client: string;
  readonly seconds: number;
}

async function playStep(step: Step, stage: Stage): Promise<readonly Seen[]> {
  const path = `/${++stage.requests}`;
  if (step.pauseMs > 0) await setTimeout(step.pauseMs);
  const startedAt = performance.now();
  const request = requestAs(step, stage, path);
  if (step.meanwhile.length > 0) await stage.cast.received(path);
  const meanwhile: Seen[] = [];
  for (const other of step.meanwhile) meanwhile.push(...(await playStep(other, stage)));
  if (step.meanwhile.length > 0) stage.cast.release();
  const client = await request;
  // A gateway's timer may run a little ahead of this clock.
  const seconds = Math.floor((performance.now() - startedAt) / 1000 + 0.05);
  return [{ path, client, seconds }, ...meanwhile];
}

function logged(log: readonly LogLine[], path: string, cast: Cast): Omit<LogLine, "path"> {
  const [line, ...more] = log.filter((line) => line.path === path);
  if (line === undefined) throw new Error(`no log line for ${path}`);
  if (more.length > 0) throw new Error(`${1 + more.length} log lines for ${path}`);
  return cast.withLetters(line);
}

/** Does the request of a step, and says what its client got. */
async function requestAs(step: Step, stage: Stage, path: string): Promise<string> {
  switch (step.as) {
    case "request":
      return await requestOnce(step.method, stage.gateway, path);
    case "leave":
      return await leaveEarly(stage, path);
    case "websocket":
      return await openWebSocket(stage.gateway, path);
  }
}

const WITH_BODY = new Set(["POST", "PUT", "PATCH", "LOCK", "PROPFIND"]);

/** One request on a connection of its own; says what the client got, as in `Outcome`. */
export async function requestOnce(method: string, gateway: Gateway, path: string): Promise<string> {
  const body = WITH_BODY.has(method) ? "a body" : "";
  const answer = await ask(gateway, { method, path, body, fields: { Connection: "close" } });
  return describeAnswer(answer);
}

async function leaveEarly({ gateway, cast }: Stage, path: string): Promise<string> {
  await using client = await connectRaw(gateway);
  client.send(requestText({ path }));
  await cast.received(path);
  client.leave();
  await cast.quiet();
  return "gone";
}

const HANDSHAKE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

async function openWebSocket(gateway: Gateway, path: string): Promise<string> {
  await using client = await connectRaw(gateway);
  client.send(requestText({ path, fields: HANDSHAKE }));
  const answer = await client.answer();
  if (answer?.status !== 101) return describeAnswer(answer);
  client.send("ping");
  const [greeting = "", echo] = (await client.bytes("B is here\nping".length)).split("\n");
  return `101 ${ownerOf(greeting)}${echo === "ping" ? "" : " without an echo"}`;
}

function describeAnswer(answer: Answer | undefined): string {
  if (answer === undefined) return "none";
  // nginx may lose the bytes that it had of a body which broke off, and with them their owner.
  return `${answer.status} ${answer.complete ? ownerOf(answer.body) : "cut"}`;
}

/** What a server says begins with its letter. */
function ownerOf(body: string): string {
  return /^[ABC](?= )/.exec(body)?.[0] ?? "gateway";
}
