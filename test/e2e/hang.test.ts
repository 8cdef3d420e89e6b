import { expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { type DemoApp, startDemoApp } from "../support/demo-app.ts";
import {
  type AccessLine,
  type GatewayProgram,
  startGatewayProgram,
} from "../support/gateway-program.ts";
import { until } from "../support/until.ts";

const READ_MS = 3_000;
/** What a request may take beyond the read timeout, and one that does not meet it at all. */
const SLACK_MS = 1_000;
const RATE = 100;
/** By when every worker has heard what one found out, and has moved what waits. */
const NEWS_MS = 100;

test("a hanging primary holds a GET for its read timeout, and after that none", async () => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using gateway = await startGateway(blue, green);
  const results: Result[] = [];
  const client = startClient({
    host: "127.0.0.1",
    port: gateway.port,
    connections: 5 * RATE,
    ratePerSecond: RATE,
    onResult: (result) => results.push(result),
  });
  const answers = (pool: string) => client.summary().byPool[pool] ?? 0;

  await until(() => answers("blue") > RATE, "blue serves");
  blue.signal("SIGSTOP");
  await until(() => answers("green") > 5 * RATE, "green took over");
  blue.signal("SIGCONT");
  const before = answers("blue");
  await until(() => answers("blue") > before + RATE, "blue serves again");
  const summary = await client.stop();
  await gateway.stop();

  expect(summary).toMatchObject({ failed: 0, inFlight: 0, unsent: 0, strayBytes: 0 });
  const { down, up } = stories(gateway);
  const waited = results.filter(({ dueAt }) => dueAt < down);
  const later = results.filter(({ dueAt }) => dueAt >= down);
  expect(slowest(waited)).toBeGreaterThan(READ_MS - SLACK_MS);
  expect(slowest(waited)).toBeLessThan(READ_MS + SLACK_MS);
  expect(slowest(later)).toBeLessThan(SLACK_MS);
  // One found out, the others that waited with it were moved: nobody else ran into the timeout.
  const retried = gateway.accessLog.flatMap((line) => line.attempts?.slice(0, 1) ?? []);
  const decisions = retried.map(({ decision, cause }) => `${cause} ${decision}`);
  expect(new Set(decisions)).toEqual(new Set(["timeout next", "moved rescue"]));
  expect(decisions.filter((decision) => decision === "timeout next").length).toBeLessThan(
    decisions.length / 4,
  );
  // The way back was found by a check: no request went to blue in between.
  const between = gateway.accessLog.filter(
    (line) => startOf(line) >= down + NEWS_MS && endOf(line) < up,
  );
  expect(between.length).toBeGreaterThan(RATE);
  expect(new Set(between.map((line) => line.upstream_addr))).toEqual(new Set([green.address]));
  expect(gateway.events.map(({ event }) => event)).toEqual([
    "server-down",
    "failover",
    "server-up",
    "failback",
  ]);
});

async function startGateway(blue: DemoApp, green: DemoApp): Promise<GatewayProgram> {
  return await startGatewayProgram({
    groups: {
      app: {
        pools: {
          blue: { url: blue.url, fail_timeout: "1s" },
          green: { url: green.url, fail_timeout: "1s" },
        },
        timeouts: { connect: "2s", read: `${READ_MS}ms` },
      },
    },
  });
}

/** When blue went down and when it came back, in milliseconds since the epoch. */
function stories({ events }: GatewayProgram): { readonly down: number; readonly up: number } {
  const timeOf = (wanted: string): number =>
    Date.parse(events.find(({ event }) => event === wanted)?.time ?? "");
  return { down: timeOf("server-down"), up: timeOf("server-up") };
}

function slowest(results: readonly Result[]): number {
  return Math.max(...results.map(({ latencyMs }) => latencyMs));
}

function endOf(line: AccessLine): number {
  return Date.parse(line.time);
}

function startOf(line: AccessLine): number {
  return endOf(line) - line.request_time * 1000;
}
