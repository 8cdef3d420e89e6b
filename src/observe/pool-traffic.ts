import { addCounts, type Counts, zeros } from "./counts.ts";
import { ATTEMPT_KINDS } from "./attempt-counts.ts";
import { BUCKETS, SECONDS_BUCKETS } from "./duration-histogram.ts";
import { addReleases, type ReleaseCounts } from "./request-counts.ts";

/** What clients of a group met in one of its pools, counted since the process began. */
export interface PoolTraffic {
  /** Empty: for exchanges that came to no group. */
  readonly group: string;
  /** Empty: for exchanges that no pool answered. */
  readonly pool: string;
  readonly releases: readonly ReleaseCounts[];
  /** At its servers, whoever answered in the end: by attemptKind(). */
  readonly attempts: Counts;
  /** Exchanges that it answered well after an attempt had failed. */
  readonly saved: number;
  /** How long exchanges took, but for tunnels and streams: by bucketOf(), and by secondsBucketOf(). */
  readonly durations: Counts;
  readonly seconds: Counts;
  readonly durationsSumMs: number;
  /** Those of them that took longer than their group promises. */
  readonly slow: number;
  /** Exchanges that were sent to a server of the pool, whoever answered them in the end. */
  readonly met: number;
  /** Those of them in which the pool failed: a failed attempt, or an answer of 5xx. */
  readonly failed: number;
}

export function noTraffic(group: string, pool: string): PoolTraffic {
  return {
    group,
    pool,
    releases: [],
    attempts: zeros(ATTEMPT_KINDS),
    saved: 0,
    durations: zeros(BUCKETS),
    seconds: zeros(SECONDS_BUCKETS),
    durationsSumMs: 0,
    slow: 0,
    met: 0,
    failed: 0,
  };
}

/** Both together. */
export function addTraffic(one: PoolTraffic, other: PoolTraffic): PoolTraffic {
  return combine(one, other, 1);
}

/** What has come since an earlier count of the same. */
export function trafficSince(now: PoolTraffic, before: PoolTraffic): PoolTraffic {
  return combine(now, before, -1);
}

/** Of all that was counted, by whomever, the sum for each pool. */
export function sumTraffic(counted: Iterable<PoolTraffic>): readonly PoolTraffic[] {
  const sums = new Map<string, PoolTraffic>();
  for (const one of counted) {
    const key = trafficKey(one);
    const known = sums.get(key);
    sums.set(key, known === undefined ? one : addTraffic(known, one));
  }
  return [...sums.values()];
}

/** Names have no blanks. */
export function trafficKey({ group, pool }: Pick<PoolTraffic, "group" | "pool">): string {
  return `${group} ${pool}`;
}

function combine(one: PoolTraffic, other: PoolTraffic, sign: 1 | -1): PoolTraffic {
  return {
    group: one.group,
    pool: one.pool,
    releases: addReleases(one.releases, other.releases, sign),
    attempts: addCounts(one.attempts, other.attempts, sign),
    saved: one.saved + sign * other.saved,
    durations: addCounts(one.durations, other.durations, sign),
    seconds: addCounts(one.seconds, other.seconds, sign),
    durationsSumMs: one.durationsSumMs + sign * other.durationsSumMs,
    slow: one.slow + sign * other.slow,
    met: one.met + sign * other.met,
    failed: one.failed + sign * other.failed,
  };
}
