import type { Socket } from "node:net";
import { Client } from "undici";
import type { ServerSpec } from "../failover/spec.ts";
import type { DueCheck } from "../failover/recheck.ts";
import { CheckTime, type SetDeadline } from "./check-time.ts";
import { connectTo, type FindAddress, hostOf, reasonOf, targetOf } from "./connect.ts";

export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Who has to answer; what is undefined may be anybody. */
export interface Identity {
  readonly pool?: string;
  readonly release?: string;
}

export interface CheckSettings {
  readonly findAddress: FindAddress;
  readonly setDeadline: SetDeadline;
  /** Milliseconds for the connection, and again for the answer. */
  readonly connectMs: number;
  readonly answerMs: number;
  /** The longest head of an answer, in bytes. */
  readonly headBytes: number;
  /** Is this status of an answer a failure? */
  readonly isFailure: (status: number) => boolean;
  readonly expected: Identity | undefined;
  readonly signal: AbortSignal;
}

const PASSED: CheckResult = { ok: true };

/** One background check of a server. Never throws; an aborted check has failed. */
export async function checkServer(
  spec: ServerSpec,
  kind: DueCheck["kind"],
  settings: CheckSettings,
): Promise<CheckResult> {
  const time = new CheckTime(settings.setDeadline, settings.signal);
  let socket: Socket | undefined;
  try {
    const target = await targetOf(spec, settings.findAddress);
    if (kind === "resolve") return PASSED;
    time.allow(settings.connectMs, "connection");
    socket = await connectTo(target, time.signal);
    if (kind === "connect") return PASSED;
    time.allow(settings.answerMs, "answer");
    return await checkRequest(spec, socket, time.signal, settings);
  } catch (error) {
    return failed(reasonOf(error));
  } finally {
    socket?.destroy();
    time.end();
  }
}

async function checkRequest(
  spec: ServerSpec,
  socket: Socket,
  signal: AbortSignal,
  settings: CheckSettings,
): Promise<CheckResult> {
  const client = new Client("http://localhost", {
    // It does not begin where it is called back at once.
    connect: (_, done) => queueMicrotask(() => done(null, socket)),
    // The time is not its own to take.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: settings.headBytes,
    pipelining: 0,
  });
  try {
    const headers = { host: hostOf(spec), "user-agent": "understudy-check" };
    const answer = await client.request({ method: "HEAD", path: "/", headers, signal });
    await answer.body.dump();
    const { statusCode, headers: told } = answer;
    if (settings.isFailure(statusCode)) return failed(`HEAD / was answered with ${statusCode}`);
    if (isExpected(settings.expected, told["x-app-pool"], told["x-release-id"])) return PASSED;
    return failed("HEAD / was answered by another pool or release than expected");
  } finally {
    await client.destroy();
  }
}

function failed(reason: string): CheckResult {
  return { ok: false, reason };
}

function isExpected(
  { pool, release }: Identity = {},
  toldPool: unknown,
  toldRelease: unknown,
): boolean {
  if (pool !== undefined && pool !== toldPool) return false;
  return release === undefined || release === toldRelease;
}
