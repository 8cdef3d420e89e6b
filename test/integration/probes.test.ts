import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Lookup } from "../../src/proxy/resolver.ts";
import { type GatewaySetup, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type HealthApp, startHealthApp } from "../support/health-app.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask } from "../support/raw-client.ts";
import { isTrueWithin } from "../support/waits.ts";

/** Without jitter, at the times that a test can tell. */
const HEALTH = { path: "/healthz", interval: "2s", fast_interval: "500ms", jitter: 0 };
const random = () => 0;

function blueGreen(blue: HealthApp, green: HealthApp, health: object = {}) {
  const group = { health: { ...HEALTH, ...health } };
  return { pools: { blue: [blue], green: [green] }, group, random } satisfies GatewaySetup;
}

/** More turns of the event loop than a probe has ways to go: all of it is in this process. */
const TURNS = 25;

/** Time passes in steps in which every probe can come to its end. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await clock.advance(Math.min(left, 500));
    for (let turns = TURNS; turns > 0; turns--) await setTimeout(1);
  }
}

async function becomes(gateway: TestGateway, ...servers: readonly string[]): Promise<void> {
  await isTrueWithin(5_000, () => gateway.servers.join() === servers.join());
  expect(gateway.servers).toEqual(servers);
}

test("every server is probed at its interval, the standby as often as the pool that serves", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });

  await pass(clock, 8_000);

  expect([blue.probes.length, green.probes.length]).toEqual([5, 5]);
  const statusOf = ({ probes }: HealthApp) => probes[0]?.headers["x-failover-status"];
  expect([statusOf(blue), statusOf(green)]).toEqual(["online", "offline"]);
  expect(gateway.happened).toEqual([]);
});

test("a primary that dies without a request is out after `fall` fails, and back after `rise` passes", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await pass(clock, 500);

  await blue.kill();
  await pass(clock, 2_500);
  await becomes(gateway, "blue down", "green up");
  await blue.listen();
  await pass(clock, 1_500);

  await becomes(gateway, "blue up", "green up");
  expect(gateway.happened).toEqual([
    "server-suspect blue",
    "server-down blue",
    "failover blue -> green",
    "server-up blue",
    "failback green -> blue",
  ]);
  expect(gateway.events.map(({ reason }) => reason)).toMatchObject(
    [
      "failed 1 of 2 probes: ECONNREFUSED",
      "failed 2 probes in a row: ECONNREFUSED",
      /no server of blue serves/,
      "passed 2 probes in a row",
      "blue is available again",
    ].map((reason) => (typeof reason === "string" ? reason : expect.stringMatching(reason))),
  );
});

test("what a request finds out is known at once, and probes hurry", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await pass(clock, 1_000);

  gateway.strike(0);
  expect(gateway.servers).toEqual(["blue down", "green up"]);
  await pass(clock, 500);

  // At 0 s, at once, 0.5 s after that.
  expect(blue.probes.length).toBe(3);
  await becomes(gateway, "blue up", "green up");
});

test("the status of a pool in its probes follows a switch", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await pass(clock, 500);

  gateway.switchTo("green");
  await pass(clock, 2_000);

  expect(blue.probes.map(({ headers }) => headers["x-failover-status"])).toEqual([
    "online",
    "offline",
  ]);
});

test("a server that must pass a probe first gets no request before", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp({ status: 503 });
  await using green = await startHealthApp("nothing");
  const setup = blueGreen(blue, green, { initial: "probe", timeout: "400ms" });
  await using gateway = await startTestGateway({ ...setup, clock });
  await pass(clock, 1_500);
  expect(gateway.servers).toEqual(["blue starting", "green starting"]);
  expect((await ask(gateway))?.status).toBe(502);

  blue.says = {};
  await pass(clock, 500);

  await becomes(gateway, "blue up", "green starting");
  expect((await ask(gateway))?.status).toBe(200);
  expect(gateway.happened).toEqual(["server-up blue", "group-recovered"]);
});

test("a pool goes by its own probes, or by none", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  const setup = { ...blueGreen(blue, green), pool: { green: { health: "off" } } };
  await using _ = await startTestGateway({ ...setup, clock });

  await pass(clock, 2_000);

  expect([blue.probes.length, green.probes.length]).toEqual([2, 0]);
});

test("a stall of the gateway fails no probe", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp("nothing");
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await clock.advance(0);
  await blue.probed(1);

  clock.stall(60_000);
  await pass(clock, 500);

  expect(gateway.servers).toEqual(["blue up", "green up"]);
  await pass(clock, 1_000);
  expect(gateway.servers[0]).toBe("blue suspect");
});

test("a reload that asks for another path asks at once, and drops what is under way", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp("nothing");
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await clock.advance(0);
  await blue.probed(1);

  blue.says = {};
  await gateway.reload(blueGreen(blue, green, { path: "/ready" }));
  await pass(clock, 1_000);

  expect(blue.probes.map(({ url }) => url)).toEqual(["/healthz", "/ready"]);
  expect(gateway.happened).toEqual([]);
});

test("after a reload those are probed that it asks to be, at its interval", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  const { pools } = blueGreen(blue, green);
  await using gateway = await startTestGateway({ pools, clock, random });
  const timers = gateway.timers;
  await pass(clock, 4_000);
  expect(blue.probes.length).toBe(0);

  await gateway.reload(blueGreen(blue, green, { interval: "1s" }));
  await pass(clock, 4_000);
  expect([blue.probes.length, green.probes.length]).toEqual([5, 5]);

  await gateway.reload({ pools: { blue: [blue] } });
  await pass(clock, 4_000);
  expect([blue.probes.length, green.probes.length]).toEqual([5, 5]);
  expect(gateway.timers).toBeLessThanOrEqual(timers);
});

test("an interval that a reload shortens counts from the last probe", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  const setup = blueGreen(blue, green, { interval: "1h" });
  await using gateway = await startTestGateway({ ...setup, clock });
  await pass(clock, 1_000);

  await gateway.reload(blueGreen(blue, green, { interval: "3s" }));
  await pass(clock, 3_500);

  expect(blue.probes.length).toBe(3);
});

test("a server in maintenance is left alone, and probed at once when it is ready again", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  await using gateway = await startTestGateway({ ...blueGreen(blue, green), clock });
  await pass(clock, 500);

  gateway.maintain(0);
  await pass(clock, 10_000);
  expect(blue.probes.length).toBe(1);
  gateway.makeReady(0);
  await pass(clock, 500);

  expect(blue.probes.length).toBe(2);
});

test("a name without an address is looked up, then its server is probed", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  let isKnown = false;
  const lookup: Lookup = (_, done) =>
    isKnown
      ? done(null, ["127.0.0.1"])
      : done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);
  const place = { url: `http://blue.test:${blue.port}` };
  const group = { health: { ...HEALTH, initial: "probe" } };
  await using gateway = await startTestGateway({ pools: { blue: [place] }, group, lookup, clock });
  await pass(clock, 1_000);
  expect([gateway.servers, blue.probes.length]).toEqual([["blue unresolved"], 0]);

  isKnown = true;
  await pass(clock, 10_000);

  await becomes(gateway, "blue up");
  expect(blue.probes[0]?.headers["host"]).toBe(`blue.test:${blue.port}`);
});

test("a server that comes and goes is left out for a while, as long as another one serves", async () => {
  const clock = new ManualClock();
  await using blue = await startHealthApp();
  await using green = await startHealthApp();
  const setup = blueGreen(blue, green);
  const group = { ...setup.group, flap: { changes: 3, within: "60s", hold: "20s" } };
  await using gateway = await startTestGateway({ ...setup, group, clock });
  for (let times = 2; times > 0; times--) {
    blue.says = {};
    await pass(clock, 2_000);
    blue.says = { status: 500 };
    await pass(clock, 3_000);
  }
  const reason = gateway.events.findLast(({ type }) => type === "server-down")?.reason;
  expect(reason).toBe(
    "failed 2 probes in a row: GET /healthz was answered with 500; " +
      "held down for 20 s: it went down 2 times in 60 s",
  );

  blue.says = {};
  await pass(clock, 15_000);
  expect(gateway.servers[0]).toBe("blue down");
  await pass(clock, 5_000);

  await becomes(gateway, "blue up", "green up");
});
