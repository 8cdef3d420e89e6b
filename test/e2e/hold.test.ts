import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { GatewayHome } from "../support/gateway-home.ts";
import { until } from "../support/until.ts";

const PER_SECOND = 200;
/** As long as a migration would take. */
const HELD_MS = 2_000;
const SLACK_MS = 1_000;

test("an operator's hold keeps requests at the doors of all workers, and lets all of them in", async () => {
  await using blue = await startDemoApp("blue");
  await using home = new GatewayHome({
    workers: 2,
    groups: { app: { pools: { blue: blue.url } } },
  });
  await home.start();
  const results: Result[] = [];
  const client = startClient({
    host: "127.0.0.1",
    port: home.port,
    connections: 3 * PER_SECOND,
    ratePerSecond: PER_SECOND,
    onResult: (result) => results.push(result),
  });
  await until(() => client.summary().ok > PER_SECOND / 2, "load");

  await home.order("hold", { max: "30s" });
  const heldFrom = results.length;
  const arrivedBefore = blue.arrivals.length;
  await pause(HELD_MS);
  const arrivedMeanwhile = blue.arrivals.length - arrivedBefore;
  await home.order("resume", {});
  await until(() => results.length > heldFrom + HELD_MS / 2, "all are let in");
  const summary = await client.stop();

  // Those that were on their way when the order was acknowledged.
  expect(arrivedMeanwhile).toBe(0);
  const slowest = Math.max(...results.map(({ latencyMs }) => latencyMs));
  expect(slowest).toBeGreaterThan(HELD_MS - SLACK_MS);
  expect(slowest).toBeLessThan(HELD_MS + SLACK_MS);
  expect(summary).toMatchObject({ failed: 0, unsent: 0, strayBytes: 0 });
});
