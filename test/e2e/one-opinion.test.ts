import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { until } from "../support/until.ts";

const WORKERS = 4;
const PER_SECOND = 500;
const CONNECTIONS = 32;
/** Requests at least that are looked at after each switch. */
const JUDGED = 10;
/** A handful: the workers that meet the failure before they hear of it. */
const HANDFUL = 2 * WORKERS;

describe(`of ${WORKERS} workers under load`, () => {
  test("all hear of a dead primary at once, and no client asks it again", async ({ annotate }) => {
    await using blue = await startDemoApp("blue");
    await using green = await startDemoApp("green");
    await using gateway = await startGatewayProgram({
      groups: {
        app: {
          pools: {
            blue: { url: blue.url, max_fails: 1, fail_timeout: "300ms" },
            green: green.url,
          },
        },
      },
      config: { workers: WORKERS },
    });
    await blue.kill();
    const client = startLoad(gateway.port);

    // Dead from the first request on; then alive, and dead a second time.
    await gateway.happened("failover");
    await pause(2_000);
    const firstUntil = Date.now();
    await blue.start();
    await gateway.happened("failback");
    await until(() => (client.summary().byPool["blue"] ?? 0) > 200, "blue serves", 60_000);
    const killedAt = Date.now();
    await blue.kill();
    await gateway.happened("failover", 2);
    await pause(2_000);
    const summary = await client.stop();
    await gateway.stop();

    const refused = gateway.accessLog.filter(({ attempts = [] }) =>
      attempts.some(({ pool, cause }) => pool === "blue" && cause === "refused"),
    );
    const times = refused.map(({ time }) => Date.parse(time));
    const first = times.filter((at) => at < firstUntil);
    const second = times.filter((at) => at >= killedAt);
    await annotate(`attempts at the dead primary: ${first.length}, then ${second.length}`);

    expect(summary).toMatchObject({ failed: 0, strayBytes: 0 });
    expect(times.length).toBe(first.length + second.length);
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThanOrEqual(HANDFUL);
    expect(second.length).toBeLessThanOrEqual(HANDFUL);
    // Several periods of fail_timeout went by: whether it is back, the gateway found out by itself.
    expect(spanOf(first)).toBeLessThan(1_000);
    expect(spanOf(second)).toBeLessThan(1_000);
    expect(gateway.eventsOf("server-down").length).toBe(2);
  });

  test("none asks the old pool once a switch is answered", async ({ annotate }) => {
    await using blue = await startDemoApp("blue");
    await using green = await startDemoApp("green");
    await using gateway = await startGatewayProgram({
      groups: { app: { pools: { blue: blue.url, green: green.url } } },
      config: { workers: WORKERS },
    });
    const results: Result[] = [];
    const client = startLoad(gateway.port, (result) => results.push(result));
    await until(() => client.summary().ok > 200, "load");

    const times: Stay[] = [];
    for (let n = 0; n < 50; n++) {
      const pool = n % 2 === 0 ? "green" : "blue";
      const asked = now();
      await switchTo(gateway, pool, n >= 48);
      const from = now();
      await until(() => results.slice(-JUDGED).every(({ dueAt }) => dueAt >= from), "requests");
      times.push({ pool, from, until: now(), ms: from - asked });
    }
    const summary = await client.stop();

    const judged = times.map(({ pool, from, until }) =>
      results
        .filter(({ dueAt, latencyMs }) => dueAt >= from && dueAt + latencyMs <= until)
        .map((result) => result.pool === pool),
    );
    const ms = medianOf(times.slice(0, 48)).toFixed(1);
    await annotate(`${judged.flat().length} requests judged; switches took ${ms} ms`);

    expect(judged.flat().filter((isRight) => !isRight).length).toBe(0);
    expect(judged.flat().length).toBeGreaterThanOrEqual(50 * JUDGED);
    expect(summary).toMatchObject({ failed: 0, strayBytes: 0 });
    expect(gateway.eventsOf("switched").length).toBe(50);
  });
});

/** From when on, and until when, a pool was known to be the only one. */
interface Stay {
  readonly pool: string;
  readonly from: number;
  readonly until: number;
  /** What the switch took. */
  readonly ms: number;
}

function startLoad(port: number, onResult: (result: Result) => void = () => {}) {
  return startClient({
    host: "127.0.0.1",
    port,
    connections: CONNECTIONS,
    ratePerSecond: PER_SECOND,
    onResult,
  });
}

async function switchTo(gateway: GatewayProgram, pool: string, byCommand: boolean): Promise<void> {
  if (byCommand) {
    expect(await gateway.command("switch", "app", pool)).toMatchObject({ exit: 0 });
    return;
  }
  const told = await gateway.adminOrder("/api/v1/groups/app/switch", { to: pool });
  expect(told).toMatchObject({ to: pool, proof: { pool } });
}

/** As the results tell it. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function spanOf(times: readonly number[]): number {
  return Math.max(...times) - Math.min(...times);
}

function medianOf(times: readonly Stay[]): number {
  const sorted = times.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Infinity;
}
