import { quantileMs } from "../observe/duration-histogram.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { Guard } from "./orders.ts";

/** Fewer exchanges, or failures, than these say nothing: one of two is no verdict. */
const LEAST_EXCHANGES = 10;
const LEAST_FAILURES = 3;
/** As few durations have no p99. */
const LEAST_DURATIONS = 50;
/** Shorter answers, in milliseconds, count as this long: twice nothing is nothing. */
const SHORTEST_MS = 5;

/** What a guard looks at: the new pool since the switch, the old one for a while before it. */
export interface Guarded {
  readonly now: PoolTraffic;
  readonly before: PoolTraffic;
}

/** Why the new pool does worse than it may, in numbers; undefined where it does not, or too little is known. */
export function guardVerdict(
  { maxErrorRatio, maxP99Ratio }: Guard,
  guarded: Guarded,
): string | undefined {
  return tooManyErrors(guarded.now, maxErrorRatio) ?? tooSlow(guarded, maxP99Ratio);
}

/** What a guard saw, in words. */
export function guardWords({ now, before }: Guarded): string {
  const p99 = quantileMs(now.durations, 0.99);
  const was = quantileMs(before.durations, 0.99);
  const slow = p99 === undefined ? "" : `, p99 ${round(p99)} ms`;
  const compared =
    p99 === undefined || was === undefined ? "" : ` (${before.pool} ${round(was)} ms)`;
  return `${now.met} exchanges, ${now.failed} failed (${percent(ratioOf(now))})${slow}${compared}`;
}

function tooManyErrors(now: PoolTraffic, most: number | undefined): string | undefined {
  if (most === undefined || now.met < LEAST_EXCHANGES || now.failed < LEAST_FAILURES) {
    return undefined;
  }
  if (ratioOf(now) <= most) return undefined;
  const share = `${now.failed} of ${now.met} exchanges failed (${percent(ratioOf(now))})`;
  return `${share}, more than ${percent(most)}`;
}

function tooSlow({ now, before }: Guarded, most: number | undefined): string | undefined {
  if (most === undefined || countOf(now) < LEAST_DURATIONS || countOf(before) < LEAST_DURATIONS) {
    return undefined;
  }
  const p99 = longEnough(quantileMs(now.durations, 0.99));
  const was = longEnough(quantileMs(before.durations, 0.99));
  if (p99 <= was * most) return undefined;
  const words = `p99 of the answer time is ${round(p99)} ms`;
  return `${words}, more than ${most} times the ${round(was)} ms of ${before.pool}`;
}

function longEnough(ms = SHORTEST_MS): number {
  return Math.max(ms, SHORTEST_MS);
}

function countOf({ durations }: PoolTraffic): number {
  return durations.reduce((sum, count) => sum + count, 0);
}

function ratioOf({ met, failed }: PoolTraffic): number {
  return met === 0 ? 0 : failed / met;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 10_000) / 100} %`;
}

function round(ms: number): number {
  return ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
