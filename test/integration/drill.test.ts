import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

const ORDER = { by: "the test", forMs: 10_000 };

test("a drill fails over and back, and tells what clients saw", async () => {
  const { gateway, clock } = await opened();
  const drill = gateway.orders.drill("app", ORDER);
  await isTrueWithin(5_000, () => gateway.happened.includes("switch-proved blue -> green"));

  const seen = [await ask(gateway), await ask(gateway)];
  const { active } = gateway;
  const outcome = await clock.runUntil(drill);

  expect([active, ...seen.map((answer) => answer?.body.split(" ")[0])]).toEqual([
    "green",
    "green",
    "green",
  ]);
  expect(outcome).toMatchObject({
    ok: true,
    facts: { from: "blue", to: "green", failed: 0, requests: 4, by_pool: { blue: 1, green: 3 } },
  });
  expect(outcome.lines.map((line) => line.replaceAll(/[\d.]+ ms/g, "N ms"))).toEqual([
    "green took over in N ms",
    "blue was back in N ms",
    "clients saw: 4 answers, 0 failed, p99 N ms; blue 1, green 3",
  ]);
  expect(gateway.active).toBe("blue");
  expect(gateway.happened.filter((event) => event.startsWith("drill"))).toEqual([
    "drill-began",
    "drill-ended",
  ]);
});

test("a drill ends early where the other pool does not last", async () => {
  const { gateway, clock } = await opened();
  const drill = gateway.orders.drill("app", ORDER);
  await isTrueWithin(5_000, () => gateway.happened.includes("switch-proved blue -> green"));

  gateway.strike(1);
  await clock.advance(500);
  const outcome = await clock.runUntil(drill);

  expect(outcome.lines[0]).toMatch(/^green took over/);
  expect(gateway.active).toBe("blue");
  expect(gateway.happened).toContain("failover green -> blue");
});

test("a drill leaves behind what was ordered before it", async () => {
  const { gateway, clock } = await opened();
  const there = { force: false, dryRun: false, ifActive: undefined, wait: false, guard: undefined };
  await gateway.orders.switchTo("app", { by: "ops", to: "green", ...there });
  await gateway.orders.setSplit("app", { by: "ops", split: { green: 9, blue: 1 } });
  const before = gateway.group;

  const outcome = await clock.runUntil(gateway.orders.drill("app", ORDER));
  const after = gateway.group;
  await gateway.orders.rollback("app", { by: "ops", force: false, wait: false });

  expect(outcome).toMatchObject({ ok: true, facts: { from: "green", to: "blue" } });
  expect([after.primary, after.active, after.orders.split]).toEqual([
    before.primary,
    before.active,
    before.orders.split,
  ]);
  expect(gateway.active).toBe("blue");
});

test("no hook can keep a drill from coming back", async () => {
  const once = join(mkdtempSync(join(tmpdir(), "understudy-drill-")), "once");
  onTestFinished(() => rmSync(dirname(once), { recursive: true }));
  const exec = ["bash", "-c", `[ ! -e ${once} ] && touch ${once}`];
  const { gateway, clock } = await opened({ hooks: [{ on: ["before_switch"], exec }] });
  const drill = gateway.orders.drill("app", ORDER);
  await isTrueWithin(5_000, () => gateway.happened.includes("switch-proved blue -> green"));

  await clock.runUntil(drill);

  expect(gateway.active).toBe("blue");
});

test("there is no drill where no other pool could serve", async () => {
  const { gateway } = await opened();
  gateway.maintain(1);

  expect(await gateway.orders.drill("app", ORDER)).toMatchObject({
    kind: "refused",
    lines: ["app has no other pool that could serve"],
  });
  expect(gateway.happened).not.toContain("drill-began");
});

async function opened(top: object = {}) {
  const clock = new ManualClock();
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const start = async (name: string) =>
    stack.use(await startScriptedServer([OK], { name, openAtEnd: "close" }));
  const pools = { blue: [await start("blue")], green: [await start("green")] };
  const gateway = stack.use(await startTestGateway({ pools, clock, top }));
  return { gateway, clock };
}
