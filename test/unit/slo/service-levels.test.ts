import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { GatewayEvent } from "../../../src/events.ts";
import { TrafficTally } from "../../../src/observe/traffic-tally.ts";
import { BudgetFile, budgetFileOf } from "../../../src/slo/budget-file.ts";
import type { ServiceLevel } from "../../../src/slo/service-level.ts";
import { ServiceLevels } from "../../../src/slo/service-levels.ts";
import { exchangeRecord } from "../../support/exchange-records.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const BOTH: ServiceLevel = { availability: 0.999, latency: { part: 0.99, underMs: 300 } };

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "slo-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return budgetFileOf(join(folder, "understudy.state.json")) ?? "";
}

/** Requests, and what is made of them. */
function measured(path?: string, level = BOTH) {
  const clock = new ManualClock();
  const tally = new TrafficTally();
  const events: GatewayEvent[] = [];
  const troubles: string[] = [];
  const levels = new Map([["app", level]]);
  tally.limit(new Map([["app", level.latency?.underMs ?? Infinity]]));
  const serviceLevels = new ServiceLevels({
    clock,
    levels: () => levels,
    traffic: () => tally.all,
    file: new BudgetFile(path, (reason) => troubles.push(reason)),
    tell: (event) => events.push(event),
  });
  const come = (count: number, changes: Parameters<typeof exchangeRecord>[0] = {}): void => {
    for (let n = 0; n < count; n++) tally.count(exchangeRecord(changes));
  };
  serviceLevels.start();
  return { clock, serviceLevels, events, troubles, levels, come };
}

test("a group's promises are measured by what its clients met", async () => {
  const { clock, serviceLevels, come } = measured();
  come(990);
  come(5, { status: 503 });
  come(5, { requestTimeMs: 301 });
  come(100, { group: "other", status: 500 });
  await clock.advance(10_000);

  expect(serviceLevels.of("app")).toEqual([
    {
      objective: "availability",
      target: 0.999,
      underMs: undefined,
      outcomes: { all: 1_000, bad: 5 },
      budgetLeft: expect.closeTo(-4, 6),
      burning: "slow",
    },
    {
      objective: "latency",
      target: 0.99,
      underMs: 300,
      outcomes: { all: 1_000, bad: 5 },
      budgetLeft: expect.closeTo(0.5, 6),
      burning: undefined,
    },
  ]);
  expect(serviceLevels.of("other")).toEqual([]);
});

test("a budget that burns is told once, and so is its end", async () => {
  const { clock, serviceLevels, events, come } = measured(undefined, {
    ...BOTH,
    latency: undefined,
  });
  for (let n = 0; n < 30; n++) {
    come(95);
    come(5, { status: 502 });
    await clock.advance(10_000);
  }
  expect(serviceLevels.of("app")[0]?.burning).toBe("fast");
  for (let n = 0; n < 300; n++) {
    come(100);
    await clock.advance(10_000);
  }

  // That it is still too much for three days is told once nobody is called any more.
  expect(events.map((event) => ("speed" in event ? `${event.type} ${event.speed}` : ""))).toEqual([
    "slo-burning fast",
    "slo-calm fast",
    "slo-burning slow",
  ]);
  expect(events).toMatchObject([
    {
      type: "slo-burning",
      group: "app",
      objective: "availability",
      threshold: "99.9 % over 30 days",
      observed:
        "burns 50 times as fast as the budget allows, above 14.4 (5 of 100 requests in the last hour)",
    },
    { type: "slo-calm", group: "app", objective: "availability" },
    { type: "slo-burning", speed: "slow" },
  ]);
});

test("budgets outlive a restart", async () => {
  const path = temporaryFile();
  const first = measured(path);
  first.come(10, { status: 500 });
  first.come(90);
  await first.serviceLevels.stop();

  const second = measured(path);
  second.come(100);
  await second.clock.advance(10_000);

  expect(second.serviceLevels.of("app")[0]?.outcomes).toEqual({ all: 200, bad: 10 });
  expect(second.troubles).toEqual([]);
});

test("they are written down every minute, for a process that is killed", async () => {
  const path = temporaryFile();
  const { clock, come, serviceLevels } = measured(path);
  come(7);
  await clock.advance(70_000);
  // Waits for the write only.
  await serviceLevels.stop();

  expect(JSON.parse(readFileSync(path, "utf8")).budgets["app availability"].hours).toEqual([
    [expect.any(Number), 7, 0],
  ]);
});

test("a file that cannot be used is told and replaced", async () => {
  const path = temporaryFile();
  writeFileSync(path, "{");
  const { troubles, come, serviceLevels } = measured(path);
  come(1);
  await serviceLevels.stop();

  expect(troubles).toEqual([expect.stringContaining(`${path} cannot be used`)]);
  expect(JSON.parse(readFileSync(path, "utf8")).version).toBe(1);
});

test("what was measured stays when a promise is changed by a reload", async () => {
  const { clock, come, levels, serviceLevels } = measured();
  come(1_000);
  come(1, { status: 500 });
  await clock.advance(10_000);
  levels.set("app", { availability: 0.99, latency: undefined });

  expect(serviceLevels.of("app")).toMatchObject([
    { target: 0.99, outcomes: { all: 1_001, bad: 1 }, budgetLeft: expect.closeTo(0.9, 2) },
  ]);
});
