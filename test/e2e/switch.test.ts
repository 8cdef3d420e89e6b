import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { type DemoApp, startDemoApp } from "../support/demo-app.ts";
import { GatewayHome } from "../support/gateway-home.ts";
import { ask } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

const PER_SECOND = 1_000;
const SWITCHES = 50;
/** Of requests between two switches. */
const STAY_MS = 100;

const DONE = z.object({
  to: z.string(),
  settle_ms: z.number(),
  switch_ms: z.number(),
  saved: z.boolean(),
  proof: z.object({ pool: z.string(), ms: z.number() }),
});

describe(`a switch under ${PER_SECOND} requests a second`, () => {
  test("fails none, and none that begins after its end meets the old pool", async ({
    annotate,
  }) => {
    await using house = await House.open({});
    const { home } = house;
    const results: Result[] = [];
    const client = startClient({
      host: "127.0.0.1",
      port: home.port,
      connections: 64,
      ratePerSecond: PER_SECOND,
      onResult: (result) => results.push(result),
    });
    await until(() => client.summary().ok > PER_SECOND / 2, "load");

    const stays: Stay[] = [];
    for (let n = 0; n < SWITCHES; n++) {
      const to = n % 2 === 0 ? "green" : "blue";
      const facts = DONE.parse(await home.order("switch", { to }));
      const from = now();
      await pause(STAY_MS);
      stays.push({ facts, from, until: now() });
    }
    const summary = await client.stop();

    const judged = stays.flatMap(({ facts, from, until }) =>
      results.flatMap(({ dueAt, latencyMs, pool }) =>
        dueAt >= from && dueAt + latencyMs <= until ? [pool === facts.to] : [],
      ),
    );
    const took = stays.map(({ facts }) => facts.switch_ms).toSorted((a, b) => a - b);
    const figures = `${medianOf(took)} ms in the middle, ${took.at(-1)} ms at most`;
    await annotate(`${SWITCHES} switches took ${figures}; ${judged.length} requests judged`);

    expect(summary).toMatchObject({ failed: 0, strayBytes: 0 });
    expect(judged.filter((isRight) => !isRight)).toEqual([]);
    expect(judged.length).toBeGreaterThan(SWITCHES * 10);
    expect(stays.every(({ facts }) => facts.saved && facts.proof.pool === facts.to)).toBe(true);
    expect(medianOf(took)).toBeLessThan(50);
    expect(home.told.match(/"switch-proved"/g)?.length).toBe(SWITCHES);
  });
});

describe("a switch by the API", () => {
  test("is refused to a dead pool, and done as soon as that is back where the operator insists", async () => {
    await using house = await House.open({ health: { path: "/version", interval: "200ms" } });
    const { home, green } = house;
    await green.kill();
    await until(() => home.told.includes('"server-down"'), "green is down");

    const refusal = await home.order("switch", { to: "green" });
    const preview = await home.order("switch", { to: "green", dry_run: true });
    const insisted = await home.order("switch", { to: "green", force: true });
    await green.start();
    await until(() => home.told.includes('"failback"'), "green serves");

    expect([codeOf(refusal), codeOf(preview), codeOf(insisted)]).toEqual([
      "REFUSED",
      "REFUSED",
      "FAILED",
    ]);
    expect(await house.active()).toBe("green");
  });

  test("is rolled back by hand also after a restart, and once", async () => {
    await using house = await House.open({});
    const { home } = house;
    await home.order("switch", { to: "green", wait: true });
    await home.stop();
    await home.start();
    expect(await house.active()).toBe("green");

    const undone = await home.order("rollback", { wait: true });
    const again = await home.order("rollback", {});

    expect(undone).toMatchObject({ from: "green", to: "blue", drained: true });
    expect(codeOf(again)).toBe("REFUSED");
    expect(await house.active()).toBe("blue");
  });

  test("takes itself back where the new pool fails the proof", async () => {
    await using house = await House.open({});
    await ask({ port: house.green.port }, { path: "/chaos/start?mode=error" });

    const outcome = await house.home.order("switch", { to: "green" });

    expect(codeOf(outcome)).toBe("ROLLED_BACK");
    expect(await house.active()).toBe("blue");
    expect(house.home.told).toContain('"rolled-back"');
  });
});

interface Stay {
  readonly facts: z.infer<typeof DONE>;
  /** When the order was acknowledged, and when the next one was given. */
  readonly from: number;
  readonly until: number;
}

/** A gateway with two workers in front of blue and green. */
class House implements AsyncDisposable {
  readonly home: GatewayHome;
  readonly blue: DemoApp;
  readonly green: DemoApp;

  private constructor(home: GatewayHome, blue: DemoApp, green: DemoApp) {
    this.home = home;
    this.blue = blue;
    this.green = green;
  }

  /** `group`: further keys of the group. */
  static async open(group: object): Promise<House> {
    const blue = await startDemoApp("blue");
    const green = await startDemoApp("green");
    const pools = { blue: blue.url, green: green.url };
    const home = new GatewayHome({ workers: 2, groups: { app: { ...group, pools } } });
    await home.start();
    return new House(home, blue, green);
  }

  async active(): Promise<string> {
    return STATUS.parse(await this.home.says("/api/v1/groups/app")).active;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
    await this.blue[Symbol.asyncDispose]();
    await this.green[Symbol.asyncDispose]();
  }
}

const STATUS = z.object({ active: z.string() });
const PROBLEM = z.object({ code: z.string() });

function codeOf(answer: unknown): string {
  return PROBLEM.parse(answer).code;
}

/** As the results tell it. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Infinity;
}
