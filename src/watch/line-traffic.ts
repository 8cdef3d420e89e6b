import { countOne, zeros } from "../observe/counts.ts";
import { bucketOf, BUCKETS } from "../observe/duration-histogram.ts";
import { noTraffic, type PoolTraffic } from "../observe/pool-traffic.ts";
import { isBad, type LineFacts } from "./line-facts.ts";

/** Counts lines as the gateway counts its exchanges, as far as a line tells of them. */
export class LineTraffic {
  readonly #groups = new Map<string, { met: number; failed: number; durations: number[] }>();

  /** All that was counted so far. */
  get all(): readonly PoolTraffic[] {
    return Array.from(this.#groups, ([group, { met, failed, durations }]) => ({
      ...noTraffic(group, ""),
      met,
      failed,
      durations: [...durations],
    }));
  }

  count(group: string, { status, attempts, requestTimeMs }: LineFacts): void {
    const counted = this.#groups.get(group) ?? { met: 0, failed: 0, durations: zeros(BUCKETS) };
    this.#groups.set(group, counted);
    counted.met += 1;
    if (status >= 500 || attempts.some(isBad)) counted.failed += 1;
    if (requestTimeMs !== undefined) countOne(counted.durations, bucketOf(requestTimeMs));
  }
}
