/** Percentiles of many durations in little memory: each is off by 1.6 % at most, the maximum exact. */
export class Latency {
  readonly #counts: number[] = [];
  #total = 0;
  #maxMs = 0;

  record(ms: number): void {
    const bucket = bucketOf(Math.max(0, Math.round(ms * 1000)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** In milliseconds; `ratio` of all durations are at most this long. 0 where there are none. */
  percentile(ratio: number): number {
    let left = Math.ceil(this.#total * ratio);
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count ?? 0;
      if (left <= 0) return Math.min(upperEnd(bucket) / 1000, this.#maxMs);
    }
    return this.#maxMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }
}

// Up to 128 us every microsecond has a bucket; above, every doubling is cut into 64.
const STEPS = 64;

function bucketOf(us: number): number {
  if (us < 2 * STEPS) return us;
  const doublings = Math.floor(Math.log2(us / STEPS));
  return doublings * STEPS + Math.floor(us / 2 ** doublings);
}

function upperEnd(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const doublings = Math.floor(bucket / STEPS) - 1;
  return (bucket - doublings * STEPS + 1) * 2 ** doublings - 1;
}
