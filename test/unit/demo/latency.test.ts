import { expect, test } from "vitest";
import { Latency } from "../../../demo/latency.ts";

test("without a duration all percentiles are 0", () => {
  const latency = new Latency();

  expect([latency.percentile(0.5), latency.percentile(1), latency.maxMs]).toEqual([0, 0, 0]);
});

test("a percentile is at most 1.6 % above the exact one and never above the maximum", () => {
  const latency = new Latency();
  const durations = Array.from({ length: 10_000 }, (_, n) => Math.round(1.001 ** n) / 1000);
  for (const ms of durations) latency.record(ms);

  for (const ratio of [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = durations[Math.ceil(durations.length * ratio) - 1] ?? 0;
    const told = latency.percentile(ratio);
    expect(told).toBeGreaterThanOrEqual(exact);
    expect(told).toBeLessThanOrEqual(exact * 1.016);
  }
  expect(latency.maxMs).toBe(durations.at(-1));
});
