import { setTimeout as after } from "node:timers/promises";
import { startClient } from "../../demo/strict-client.ts";
import type { Result, Summary } from "../../demo/tally.ts";
import type { Rig } from "../../test/docker/rig.ts";
import { until } from "../../test/support/until.ts";
import { type AutocannonCount, runAutocannon } from "../rig/autocannon.ts";
import type { Case } from "./cases.ts";

export interface Pressure {
  /** Of the strict client, a fifth of them POSTs. */
  readonly perSecond: number;
  /** Of autocannon, GETs. */
  readonly besidePerSecond: number;
  readonly besideConnections: number;
  /** Milliseconds that each state lasts. */
  readonly stepMs: number;
}

/** What clients saw of a case. */
export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly summary: Summary;
  readonly autocannon: AutocannonCount;
  /** From the order to the last answer but one by the other pool; undefined where none took over. */
  readonly takenOverMs: number | undefined;
  /** From the mend to the first answer of the primary; undefined where it never left. */
  readonly backMs: number | undefined;
  /** GETs that failed though one pool lived. */
  readonly isBroken: boolean;
}

/** Within what time a case has to come to its end, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Plays a case while two clients ask: the strict one counts every request, autocannon beside it as many use it. */
export async function playCase(rig: Rig, one: Case, pressure: Pressure): Promise<CaseResult> {
  await rig.makePrimary(one.primary);
  const results: Result[] = [];
  const client = startClient({
    host: "127.0.0.1",
    port: rig.port,
    ratePerSecond: pressure.perSecond,
    postRatio: 0.2,
    connections: 64,
    onResult: (result) => results.push(result),
  });
  const { stop, count } = shoot(rig.port, pressure);
  await after(pressure.stepMs);
  const hurtAt = Date.now();
  await one.hurt(rig);
  await after(pressure.stepMs);
  const mendedAt = Date.now();
  await one.mend?.(rig);
  if (one.whom === "gateway") await rig.findPorts();
  await until(
    async () => (await rig.activeOrNone()) === one.primary,
    "it serves again",
    PATIENCE_MS,
  );
  await until(
    () => results.some((result) => isOf(result, one.primary) && result.dueAt > mendedAt),
    "it answers again",
    PATIENCE_MS,
  );
  await after(pressure.stepMs);
  const summary = await client.stop();
  stop.abort();
  const other = results.find(
    (result) => result.ok && result.dueAt >= hurtAt && result.pool !== one.primary,
  );
  const back = results.find((result) => isOf(result, one.primary) && result.dueAt > mendedAt);
  return {
    name: one.name,
    title: one.title,
    summary,
    autocannon: await count,
    takenOverMs: other && other.dueAt + other.latencyMs - hurtAt,
    backMs: other && back && back.dueAt + back.latencyMs - mendedAt,
    isBroken: one.whom !== "gateway" && summary.byMethod.GET.failed > 0,
  };
}

function isOf(result: Result, pool: string): boolean {
  return result.ok && result.pool === pool;
}

/** autocannon runs for a time that is set before; that of a case is not known before. */
function shoot(port: number, { besidePerSecond, besideConnections }: Pressure) {
  const stop = new AbortController();
  const options = { port, path: "/version", connections: besideConnections };
  const rounds = async (): Promise<AutocannonCount> => {
    let sum: AutocannonCount | undefined;
    do {
      const round = await runAutocannon({ ...options, seconds: 2, ratePerSecond: besidePerSecond });
      sum = sum === undefined ? round : both(sum, round);
    } while (!stop.signal.aborted);
    return sum;
  };
  return { stop, count: rounds() };
}

function both(one: AutocannonCount, other: AutocannonCount): AutocannonCount {
  return {
    seconds: one.seconds + other.seconds,
    sent: one.sent + other.sent,
    answered: one.answered + other.answered,
    p50Ms: Math.max(one.p50Ms, other.p50Ms),
    p99Ms: Math.max(one.p99Ms, other.p99Ms),
    maxMs: Math.max(one.maxMs, other.maxMs),
    errors: one.errors + other.errors,
    non2xx: one.non2xx + other.non2xx,
    mismatches: one.mismatches + other.mismatches,
    lost: one.lost + other.lost,
  };
}
