import { describe, expect, test } from "vitest";
import { type Client, startClient } from "../../demo/strict-client.ts";
import type { Summary } from "../../demo/tally.ts";
import { type DemoApp, startDemoApp } from "../support/demo-app.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { RESET_REUSED } from "../support/server-script.ts";
import { until } from "../support/until.ts";

const CONNECTIONS = 50;
/** Good answers between two acts; five times this is more than 20,000. */
const BETWEEN = 4_200;

describe("kill -9 of the serving app under load, twice", () => {
  test("loses none of more than 20,000 GETs", { timeout: 120_000 }, async () => {
    await using blue = await startDemoApp("blue");
    await using green = await startDemoApp("green");
    await using gateway = await startGateway(blue, green);

    const summary = await loadWithTwoKills(gateway, blue, 0);

    expect(summary).toMatchObject({ failed: 0, inFlight: 0, unsent: 0, strayBytes: 0 });
    expect(summary.ok).toBeGreaterThan(20_000);
    expect(summary.byPool).toMatchObject({ blue: expect.any(Number), green: expect.any(Number) });
    expect(eventsOf(gateway)).toEqual([...KILLED_AND_BACK, ...KILLED_AND_BACK]);
    await expectWholeLog(gateway, summary);
  });

  test(
    "loses only POSTs that were on their way to it, and says why",
    { timeout: 120_000 },
    async () => {
      await using blue = await startDemoApp("blue");
      await using green = await startDemoApp("green");
      await using gateway = await startGateway(blue, green);

      const summary = await loadWithTwoKills(gateway, blue, 1);

      expect(summary).toMatchObject({ inFlight: 0, unsent: 0, strayBytes: 0 });
      expect(summary.ok).toBeGreaterThan(20_000);
      // One on its way for each connection, and the few that the dying process still accepted.
      expect(summary.failed).toBeLessThanOrEqual(3 * CONNECTIONS);
      expect(summary.byKind).toEqual(summary.failed === 0 ? {} : { status: summary.failed });
      expect(eventsOf(gateway)).toEqual([...KILLED_AND_BACK, ...KILLED_AND_BACK]);
      await expectWholeLog(gateway, summary);
      expectEachFailureExplained(gateway, summary);
      expectArrivedOnce([...blue.arrivals, ...green.arrivals], summary);
    },
  );
});

test("once a connection broke, no POST trusts another that was idle by then", async () => {
  await using server = await startScriptedServer([HOLD, HOLD, RESET_REUSED], {
    openAtEnd: "close",
  });
  const groups = { app: { pools: { blue: `http://127.0.0.1:${server.port}` } } };
  // Both requests have to meet in one process.
  await using gateway = await startGatewayProgram({ groups, config: { workers: 0 } });
  const gets = [ask(gateway, { path: "/1" }), ask(gateway, { path: "/2" })];
  await Promise.all([server.received("/1"), server.received("/2")]);
  server.release();
  await Promise.all(gets);

  const first = await ask(gateway, { method: "POST", body: "one" });
  const second = await ask(gateway, { method: "POST", body: "two" });

  expect([first?.status, second?.status]).toEqual([502, 200]);
  expect(server.arrivals.map(({ method, reused }) => [method, reused])).toEqual([
    ["GET", false],
    ["GET", false],
    ["POST", true],
    ["POST", false],
  ]);
});

test("no POST trusts a connection whose last answer was on its way while another broke", async () => {
  const script = [HOLD, HOLD, HOLD, RESET_REUSED];
  await using server = await startScriptedServer(script, { openAtEnd: "close" });
  const groups = { app: { pools: { blue: `http://127.0.0.1:${server.port}` } } };
  // Both requests have to meet in one process.
  await using gateway = await startGatewayProgram({ groups, config: { workers: 0 } });
  const gets = [ask(gateway, { path: "/1" }), ask(gateway, { path: "/2" })];
  await Promise.all([server.received("/1"), server.received("/2")]);
  server.release();
  await Promise.all(gets);

  const get = ask(gateway, { path: "/3" });
  await server.received("/3");
  const first = await ask(gateway, { method: "POST", body: "one" });
  server.release();
  await get;
  const second = await ask(gateway, { method: "POST", body: "two" });

  expect([first?.status, second?.status]).toEqual([502, 200]);
  expect(server.arrivals.slice(2).map(({ method, reused }) => [method, reused])).toEqual([
    ["GET", true],
    ["POST", true],
    ["POST", false],
  ]);
});

const HOLD = { does: "hold", status: 200 } as const;
const KILLED_AND_BACK = ["server-down", "failover", "server-up", "failback"];

async function startGateway(blue: DemoApp, green: DemoApp): Promise<GatewayProgram> {
  return await startGatewayProgram({
    groups: {
      app: {
        pools: {
          blue: { url: blue.url, fail_timeout: "500ms" },
          green: { url: green.url, fail_timeout: "500ms" },
        },
      },
    },
  });
}

async function loadWithTwoKills(
  gateway: GatewayProgram,
  blue: DemoApp,
  postRatio: number,
): Promise<Summary> {
  const { port } = gateway;
  const client = startClient({ host: "127.0.0.1", port, connections: CONNECTIONS, postRatio });
  for (let round = 0; round < 2; round++) {
    await answersOf(client, BETWEEN);
    await blue.kill();
    await answersOf(client, BETWEEN);
    const served = client.summary().byPool["blue"] ?? 0;
    await blue.start();
    await until(() => (client.summary().byPool["blue"] ?? 0) > served, "blue serves again");
  }
  await answersOf(client, BETWEEN);
  return await client.stop();
}

/** Waits for so many good answers more. */
async function answersOf(client: Client, more: number): Promise<void> {
  const enough = client.summary().ok + more;
  await until(() => client.summary().ok >= enough, `${more} more answers`);
}

function eventsOf(gateway: GatewayProgram): readonly (string | undefined)[] {
  return gateway.events.map(({ event }) => event);
}

/** A line for every request that was answered, also for the last ones before the end. */
async function expectWholeLog(gateway: GatewayProgram, summary: Summary): Promise<void> {
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(gateway.accessLog.length).toBe(summary.issued);
}

function expectEachFailureExplained(gateway: GatewayProgram, summary: Summary): void {
  const failed = gateway.accessLog.filter(({ status }) => status !== 200);
  const told = summary.failures.map(
    ({ detail }) => /request_id\\":\\"([^\\]+)/.exec(detail)?.[1] ?? detail,
  );
  const logged = failed.map((line) => line.request_id);
  expect(logged.length).toBe(summary.failed);
  // The client describes the first of them only.
  expect(logged).toEqual(expect.arrayContaining(told));
  for (const { method, status, error, attempts } of failed) {
    expect({ method, status, error, attempts }).toEqual({
      method: "POST",
      status: 502,
      error: "SERVER_FAILED",
      attempts: [
        expect.objectContaining({
          pool: "blue",
          phase: "head",
          cause: expect.stringMatching(/^(reset|closed)$/),
          decision: "return",
          why: expect.stringContaining("POST was sent and may not be repeated"),
        }),
      ],
    });
    expect(attempts?.[0]?.sent_bytes).toBeGreaterThan(0);
  }
}

/** Nobody saw a POST twice, whatever became of it. */
function expectArrivedOnce(arrivals: readonly string[], summary: Summary): void {
  const posts = arrivals.filter((arrival) => arrival.startsWith("POST "));
  expect(posts.length).toBe(new Set(posts).size);
  expect(posts.length).toBeGreaterThanOrEqual(summary.ok);
  expect(posts.length).toBeLessThanOrEqual(summary.issued);
}
