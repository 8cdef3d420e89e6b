import type { GatewayEvent } from "../events.ts";
import { quantileMs } from "../observe/duration-histogram.ts";
import {
  addTraffic,
  noTraffic,
  type PoolTraffic,
  trafficKey,
  trafficSince,
} from "../observe/pool-traffic.ts";

/** What groups are measured by. */
export interface TrafficLimits {
  readonly errorRate: {
    /** Highest part of requests that fail at a server, 0 to 1. */
    readonly threshold: number;
    /** Over so many of the last requests of a group. */
    readonly window: number;
    /** Nothing is said of fewer. */
    readonly atLeast: number;
  };
  /** Undefined: not looked at. */
  readonly latency: { readonly part: number; readonly aboveMs: number } | undefined;
}

/** The latency is that of so many looks: a minute, by one a second. */
const LATENCY_LOOKS = 60;
/** Hours with few requests need no more to fill a window. */
const MOST_SAMPLES = 1_000;

/** What came to a group between two looks, oldest first. */
type Samples = readonly PoolTraffic[];

/** What a limit makes of them; undefined where there is too little to judge. */
interface Verdict {
  readonly isTooHigh: boolean;
  readonly observed: string;
  readonly threshold: string;
}

/** Judges the traffic of groups, a look at a time; tells where it begins and ceases to be beyond a limit. */
export class TrafficRules {
  #before: ReadonlyMap<string, PoolTraffic> | undefined;
  readonly #samples = new Map<string, Samples>();
  /** `error-rate app`: what was told to be too high. */
  readonly #high = new Set<string>();

  /** `traffic`: all that was counted so far, by group and pool. */
  look(traffic: readonly PoolTraffic[], limits: TrafficLimits): readonly GatewayEvent[] {
    const before = this.#before;
    this.#before = new Map(traffic.map((one) => [trafficKey(one), one]));
    // What was counted before it began to look is not of now.
    if (before === undefined) return [];
    const since = traffic.map((one) =>
      trafficSince(one, before.get(trafficKey(one)) ?? noTraffic(one.group, one.pool)),
    );
    const groups = new Set(traffic.map(({ group }) => group));
    // What came to no group is nobody's.
    groups.delete("");
    return Array.from(groups).flatMap((group) => {
      const sample = sumOf(since.filter((one) => one.group === group));
      return this.#judge(group, sample, limits);
    });
  }

  #judge(group: string, sample: PoolTraffic, limits: TrafficLimits): readonly GatewayEvent[] {
    const known = this.#samples.get(group) ?? [];
    const isQuiet = sample.met === 0 && limits.latency === undefined;
    if (isQuiet) return [];
    const samples = [...known, sample].slice(-MOST_SAMPLES);
    this.#samples.set(group, samples);
    return [
      ...this.#tell(group, "error-rate", errorRate(samples, limits)),
      ...this.#tell(group, "latency", latency(samples, limits)),
    ];
  }

  #tell(
    group: string,
    what: "error-rate" | "latency",
    verdict: Verdict | undefined,
  ): readonly GatewayEvent[] {
    const key = `${what} ${group}`;
    if (verdict === undefined || verdict.isTooHigh === this.#high.has(key)) return [];
    const { isTooHigh, observed, threshold } = verdict;
    if (isTooHigh) this.#high.add(key);
    else this.#high.delete(key);
    const type = isTooHigh ? (`${what}-high` as const) : (`${what}-normal` as const);
    const reason = `${observed}; the limit is ${threshold}`;
    return [{ type, group, observed, threshold, reason }];
  }
}

function errorRate(samples: Samples, { errorRate: limit }: TrafficLimits): Verdict | undefined {
  const { met, failed } = lastRequests(samples, limit.window);
  if (met < limit.atLeast) return undefined;
  return {
    isTooHigh: failed / met > limit.threshold,
    observed: `${percent(failed / met)} failed (${failed} of the last ${met} requests)`,
    threshold: percent(limit.threshold),
  };
}

function latency(samples: Samples, { latency: limit, errorRate }: TrafficLimits) {
  if (limit === undefined) return undefined;
  const { durations } = sumOf(samples.slice(-LATENCY_LOOKS));
  const count = durations.reduce((sum, one) => sum + one, 0);
  const observedMs = quantileMs(durations, limit.part);
  if (observedMs === undefined || count < errorRate.atLeast) return undefined;
  const name = `p${Math.round(limit.part * 1_000) / 10}`;
  return {
    isTooHigh: observedMs > limit.aboveMs,
    observed: `${name} is ${Math.round(observedMs)} ms (${count} requests)`,
    threshold: `${limit.aboveMs} ms`,
  };
}

/** The last ones that hold a window of requests, or as many as there are. */
function lastRequests(samples: Samples, window: number): PoolTraffic {
  let sum: PoolTraffic = noTraffic("", "");
  for (const sample of samples.toReversed()) {
    sum = addTraffic(sum, sample);
    if (sum.met >= window) break;
  }
  return sum;
}

function sumOf(samples: Samples): PoolTraffic {
  return samples.reduce<PoolTraffic>(addTraffic, noTraffic("", ""));
}

function percent(part: number): string {
  return `${Math.round(part * 1_000) / 10} %`;
}
