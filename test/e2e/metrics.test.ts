import { expect, test } from "vitest";
import { type Client, startClient } from "../../demo/strict-client.ts";
import { type DemoApp, startDemoApp } from "../support/demo-app.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { until } from "../support/until.ts";

const RATE = 200;
const CONNECTIONS = 16;
/** Of the exchanges under way, and of what became due just then. */
const SLACK = 2 * CONNECTIONS;

test("the counters are the clients' own count, after a failover and a restart of the workers, too", async () => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using gateway = await startGateway(blue, green);
  const client = startLoad(gateway);
  const answers = (pool: string) => client.summary().byPool[pool] ?? 0;

  await until(() => answers("blue") > RATE, "blue serves");
  await blue.kill();
  await until(() => answers("green") > RATE, "green took over");
  expect((await gateway.command("restart")).exit).toBe(0);
  const before = answers("green");
  await until(() => answers("green") > before + RATE, "the new workers serve");
  const seen = await client.stop();
  await until(async () => (await countedOf(gateway)) === seen.issued, "all is told");

  // A POST that blue had when it was killed may not be repeated.
  expect(seen.failed).toBe(seen.byMethod.POST.failed);
  const counted = await gateway.metric("understudy_http_requests_total");
  expect(sumBy(withLabel(counted, 'code="2xx"'), "pool")).toEqual(seen.byPool);
  expect(sumBy(counted, "code")).toMatchObject({ "2xx": seen.ok, "5xx": seen.failed });
  expect(sumBy(counted, "method")).toEqual({
    GET: seen.byMethod.GET.issued,
    POST: seen.byMethod.POST.issued,
  });
  const durations = await gateway.metric("understudy_http_request_duration_seconds_count");
  expect(sumBy(durations, "group")).toEqual({ app: seen.issued });
  // Each attempt beyond the first was one that no client saw the end of.
  const { next = 0, rescue = 0, redial = 0, hold } = await retriesOf(gateway);
  expect(next + rescue + redial + seen.failed).toBeGreaterThan(0);
  expect(hold).toBe(0);
  const saved = await gateway.metric("understudy_saved_requests_total");
  expect(sumBy(saved, "pool")).toEqual({ blue: 0, green: next + rescue });
  const attempts = await gateway.metric("understudy_attempts_total");
  expect(sumBy(attempts, "outcome")).toEqual({
    ok: seen.ok,
    failed: next + rescue + redial + seen.failed,
  });
  expect(await gateway.metric("understudy_switches_total")).toEqual(
    new Map([
      ['group="app",kind="failover"', 1],
      ['group="app",kind="failback"', 0],
      ['group="app",kind="ordered"', 0],
    ]),
  );
});

test("what a worker that crashes had not told yet is missing, and how long that was is told", async () => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  await using gateway = await startGateway(blue, green);
  const client = startLoad(gateway);
  await until(() => client.summary().ok > RATE, "both workers serve");

  process.kill(gateway.workers[0] ?? 0, "SIGKILL");
  await gateway.happened("worker-started");
  const before = client.summary().ok;
  await until(() => client.summary().ok > before + RATE, "its successor serves");
  const { ok } = await client.stop();
  const uncounted = async () => await gateway.metric("understudy_worker_uncounted_seconds_total");
  const seconds = (await uncounted()).get("") ?? 0;

  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(2);
  await until(
    async () => ok - (await countedOf(gateway)) <= seconds * RATE + SLACK,
    "most is told",
  );
  expect(await countedOf(gateway)).toBeLessThanOrEqual(ok + SLACK);
});

async function startGateway(blue: DemoApp, green: DemoApp): Promise<GatewayProgram> {
  return await startGatewayProgram({
    config: { workers: 2 },
    groups: { app: { pools: { blue: blue.url, green: green.url } } },
  });
}

function startLoad({ port }: GatewayProgram): Client {
  return startClient({
    host: "127.0.0.1",
    port,
    connections: CONNECTIONS,
    ratePerSecond: RATE,
    postRatio: 0.3,
  });
}

async function countedOf(gateway: GatewayProgram): Promise<number> {
  const counted = await gateway.metric("understudy_http_requests_total");
  return Array.from(counted.values()).reduce((sum, count) => sum + count, 0);
}

async function retriesOf(gateway: GatewayProgram) {
  return sumBy(await gateway.metric("understudy_retries_total"), "kind");
}

function withLabel(metric: ReadonlyMap<string, number>, label: string) {
  return new Map(Array.from(metric).filter(([labels]) => labels.includes(label)));
}

/** The sum over all other labels. */
function sumBy(metric: ReadonlyMap<string, number>, label: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [labels, value] of metric) {
    const [, name = ""] = new RegExp(`\\b${label}="([^"]*)"`).exec(labels) ?? [];
    sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}
