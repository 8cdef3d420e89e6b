import { describe, expect, test } from "vitest";
import { type TrafficLimits, TrafficRules } from "../../../src/alert/traffic-rules.ts";
import { bucketOf } from "../../../src/observe/duration-histogram.ts";
import { noTraffic, type PoolTraffic } from "../../../src/observe/pool-traffic.ts";

const LIMITS: TrafficLimits = {
  errorRate: { threshold: 0.02, window: 200, atLeast: 50 },
  latency: undefined,
};

/** What was counted so far; time goes on by look(). */
class Story {
  readonly told: string[] = [];
  readonly #rules = new TrafficRules();
  readonly #pools = new Map<string, PoolTraffic>();
  readonly #limits: TrafficLimits;

  constructor(limits: TrafficLimits = LIMITS) {
    this.#limits = limits;
    this.look();
  }

  serve(requests: number, failed = 0, { pool = "blue", ms = 5 } = {}): this {
    const before = this.#pools.get(pool) ?? noTraffic("app", pool);
    const durations = before.durations.map((count, bucket) =>
      bucket === bucketOf(ms) ? count + requests : count,
    );
    const counted = { met: before.met + requests, failed: before.failed + failed };
    this.#pools.set(pool, { ...before, ...counted, durations });
    return this;
  }

  look(times = 1): this {
    for (let n = 0; n < times; n++) {
      for (const event of this.#rules.look([...this.#pools.values()], this.#limits)) {
        this.told.push("observed" in event ? `${event.type}: ${event.reason}` : event.type);
      }
    }
    return this;
  }
}

describe("the error rate", () => {
  test("is told once it is beyond its limit, and once it is within it again", () => {
    const story = new Story().serve(190).look().serve(10, 10).look().look(100);
    for (let n = 0; n < 10; n++) story.serve(100, 0).look();

    expect(story.told).toEqual([
      "error-rate-high: 5 % failed (10 of the last 200 requests); the limit is 2 %",
      "error-rate-normal: 0 % failed (0 of the last 200 requests); the limit is 2 %",
    ]);
  });

  test("is that of all pools of a group together", () => {
    const story = new Story().serve(10, 10).serve(90, 0, { pool: "green" }).look();

    expect(story.told).toEqual([
      "error-rate-high: 10 % failed (10 of the last 100 requests); the limit is 2 %",
    ]);
  });

  test("says nothing of a few requests", () => {
    expect(new Story().serve(49, 49).look().told).toEqual([]);
  });

  test("at its limit is well", () => {
    expect(new Story().serve(200, 4).look().told).toEqual([]);
  });

  test("is of the last requests, however long ago", () => {
    const story = new Story().serve(20, 10).look().look(10_000).serve(30).look();

    expect(story.told).toEqual([
      "error-rate-high: 20 % failed (10 of the last 50 requests); the limit is 2 %",
    ]);
  });

  test("leaves out what was counted before it began to look", () => {
    const story = new Story();
    const rules = new TrafficRules();
    const before = { ...noTraffic("app", "blue"), met: 100, failed: 100 };

    expect([rules.look([before], LIMITS), rules.look([before], LIMITS)]).toEqual([[], []]);
    expect(story.told).toEqual([]);
  });
});

describe("the latency", () => {
  const limits: TrafficLimits = { ...LIMITS, latency: { part: 0.99, aboveMs: 1_000 } };

  test("is told beyond its limit, and when a minute has been fast enough", () => {
    const story = new Story(limits).serve(95).serve(5, 0, { ms: 2_000 }).look();
    for (let n = 0; n < 70; n++) story.serve(100).look();

    expect(story.told.map((line) => line.replace(/is \d+ ms.*;/, "is N ms;"))).toEqual([
      "latency-high: p99 is N ms; the limit is 1000 ms",
      "latency-normal: p99 is N ms; the limit is 1000 ms",
    ]);
  });

  test("is not looked at where nobody asked for it", () => {
    expect(new Story().serve(100, 0, { ms: 60_000 }).look().told).toEqual([]);
  });
});
