import { expect, test } from "vitest";
import type { Lookup } from "../../src/proxy/resolver.ts";
import { startTestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, HANG, OK, RESET } from "../support/server-script.ts";
import { isTrueWithin, standsStill } from "../support/waits.ts";

const BLUE = { url: "http://blue.test:8080" };
const GREEN = { url: "http://green.test:8080" };

test("the names of servers that are new are looked up, and no others", async () => {
  const asked: string[] = [];
  const lookup: Lookup = (name, done) => {
    asked.push(name);
    if (name === "blue.test") return done(null, ["127.0.0.1"]);
    done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);
  };
  const clock = new ManualClock();
  await using gateway = await startTestGateway({ pools: { blue: [BLUE] }, lookup, clock });
  await clock.advance(0);

  await gateway.reload({ pools: { green: [GREEN], blue: [BLUE] } });
  await clock.advance(0);

  expect(asked).toEqual(["blue.test", "green.test"]);
  expect(gateway.servers).toEqual(["green unresolved", "blue up"]);
});

test("a name that is looked up for a server that is gone by then is of no interest", async () => {
  const found = Promise.withResolvers<Parameters<Lookup>[1]>();
  const lookup: Lookup = (name, done) =>
    name === "blue.test" ? found.resolve(done) : done(null, ["127.0.0.1"]);
  await using gateway = await startTestGateway({ pools: { blue: [BLUE], green: [GREEN] }, lookup });

  const done = await found.promise;
  await gateway.reload({ pools: { green: [GREEN] } });
  done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []);

  await standsStill(() => gateway.happened.length);
  expect(gateway.happened).toEqual(["switched blue -> green"]);
});

test("a check that is out for a server that is taken out ends without a word", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([RESET], { check: HANG });
  await using green = await startScriptedServer([OK]);
  const setup = { pools: { blue: [blue], green: [green] } };
  await using gateway = await startTestGateway({ ...setup, clock });
  await ask(gateway);
  await clock.advance(10_000);
  await blue.checked();
  const heard = gateway.happened.length;

  await gateway.reload({ pools: { green: [green] } });
  await blue.quiet();
  await clock.advance(60_000);

  expect(gateway.happened.slice(heard)).toEqual([]);
});

test("a server that is taken out and back while it is asked is asked anew when that is due", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([RESET], { check: HANG });
  await using green = await startScriptedServer([OK]);
  const setup = { pools: { blue: [blue], green: [green] } };
  await using gateway = await startTestGateway({ ...setup, clock });
  await ask(gateway);
  await clock.advance(10_000);
  await blue.checked();

  await gateway.reload({ pools: { green: [green] } });
  await gateway.reload(setup);
  await blue.quiet();
  await ask(gateway);
  await clock.advance(10_000);
  await isTrueWithin(5_000, () => blue.openConnections > 0);

  expect(gateway.servers).toEqual(["blue down", "green up"]);
});

test("what was planned for servers and groups that are gone is planned no more", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([RESET], { check: RESET });
  await using green = await startScriptedServer([OK]);
  const pools = { blue: [blue], green: [green] };
  await using gateway = await startTestGateway({ pools: { green: [green] }, clock });
  const timers = gateway.timers;

  await gateway.reload({ pools, others: { shop: { routes: [{ host: "shop.test" }], pools: {} } } });
  await ask(gateway);
  gateway.switchTo("green");
  const planned = gateway.timers;
  await gateway.reload({
    pools: { green: [green] },
    others: { app: undefined, shop: { pools: {} } },
  });
  const left = gateway.timers;
  await clock.advance(400_000);

  // What stays are the timers of the data path and of the checks, which end by themselves.
  expect([planned > timers, left <= timers + 2]).toEqual([true, true]);
  expect(gateway.happened).toEqual([
    "switched green -> blue",
    "server-down blue",
    "failover blue -> green",
    "switched blue -> green",
  ]);
});

test.each([
  ["v1", "blue up"],
  ["v2", "blue down"],
])("a check goes by the identity that is configured now (%s)", async (release, expected) => {
  const clock = new ManualClock();
  const check = { ...answer(200), fields: { "X-Release-Id": "v1" } };
  await using blue = await startScriptedServer([RESET], { check });
  await using green = await startScriptedServer([OK]);
  const setup = { pools: { blue: [blue], green: [green] } };
  await using gateway = await startTestGateway({ ...setup, clock });
  await ask(gateway);

  await gateway.reload({ ...setup, pool: { blue: { expect_release: release } } });
  await clock.advance(10_000);
  await blue.checked();
  await blue.quiet();
  await clock.advance(100);

  expect(gateway.servers[0]).toBe(expected);
});
