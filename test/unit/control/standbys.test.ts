import { describe, expect, onTestFinished, test } from "vitest";
import type { Action, ActionResult } from "../../../src/action/action.ts";
import type { StandbyConfig } from "../../../src/config/config.ts";
import { setStandby } from "../../../src/control/standby-order.ts";
import { Standbys } from "../../../src/control/standbys.ts";
import type { GatewayEvent } from "../../../src/events.ts";
import { Groups } from "../../../src/failover/groups.ts";
import { aGroup, aPool, PROBED, struck } from "../../support/failover-groups.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const START: Action = { kind: "exec", command: ["start"], timeoutMs: 1_000 };
const STOP: Action = { kind: "exec", command: ["stop"], timeoutMs: 1_000 };
const CONFIG: StandbyConfig = { start: START, stop: STOP, bootMs: 60_000, stopAfterMs: 300_000 };
const DONE: ActionResult = { ok: true, output: "" };
const FAILED: ActionResult = { ok: false, reason: "no such container" };

const BLUE = 0;
const GREEN = 1;

/** Blue, and green as its cold standby, with actions that come to what the test says. */
class Stage {
  readonly clock = new ManualClock();
  readonly groups = new Groups(() => this.clock.now());
  readonly did: string[] = [];
  readonly told: GatewayEvent[] = [];
  result: () => ActionResult | Promise<ActionResult> = () => DONE;
  isBusy = false;
  readonly standbys: Standbys;

  constructor(begins = true) {
    const green = { ...aPool("green", { probe: PROBED }), cold: true };
    this.groups.load([aGroup([aPool("blue", { probe: PROBED }), green])]);
    this.groups.subscribe(({ happened }) => this.told.push(...happened));
    this.standbys = new Standbys({
      clock: this.clock,
      groups: this.groups,
      configOf: (_, pool) => (pool === "green" ? CONFIG : undefined),
      act: async (action) => {
        this.did.push(action === START ? "start" : "stop");
        return await this.result();
      },
      tell: (event) => this.told.push(event),
      isBusy: () => this.isBusy,
    });
    if (begins) this.standbys.begin();
    onTestFinished(() => this.standbys.stop());
  }

  get green(): string | undefined {
    return this.groups.get("app").pools.find(({ name }) => name === "green")?.standby;
  }

  get happened(): readonly string[] {
    return this.told.map(({ type }) => type).filter((type) => /standby|fail/.test(type));
  }

  fail(server: number): this {
    for (let n = 0; n < 2; n++) this.probe(server, false);
    return this;
  }

  pass(server: number): this {
    for (let n = 0; n < 2; n++) this.probe(server, true);
    return this;
  }

  probe(server: number, passes: boolean): void {
    const { generation = 0 } = this.groups.get("app").servers[server] ?? {};
    const failure = { reason: "ECONNREFUSED", silent: true };
    if (passes) this.groups.apply("app", { type: "probe-passed", server, generation });
    else this.groups.apply("app", { type: "probe-failed", server, generation, ...failure });
  }

  /** Lets actions end. */
  async turn(): Promise<void> {
    await this.clock.advance(0);
  }

  order(action: "start" | "stop", force = false) {
    const { clock, groups, standbys } = this;
    const { signal } = new AbortController();
    const order = { by: "ops", pool: "green", action, force };
    return setStandby({ clock, groups, standbys, signal }, "app", order);
  }
}

describe("a cold standby", () => {
  test("sleeps while the primary serves, whatever happens to single requests", async () => {
    const stage = new Stage();

    stage.groups.apply("app", struck(stage.groups.get("app"), BLUE));
    stage.probe(BLUE, true);
    await stage.turn();

    expect([stage.green, stage.did]).toEqual(["asleep", []]);
  });

  test("is started once nobody else serves, once, and serves as soon as it passes a probe", async () => {
    const stage = new Stage();

    stage.fail(BLUE).fail(BLUE);
    await stage.turn();
    const booting = stage.green;
    stage.pass(GREEN);

    expect([booting, stage.green, stage.did]).toEqual(["booting", "awake", ["start"]]);
    expect(stage.groups.get("app").active).toBe("green");
    expect(stage.happened).toEqual(["standby-booting", "standby-ready", "failover"]);
  });

  test("is stopped some time after the primary is back, and not before", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();
    stage.pass(GREEN).pass(BLUE);
    const { active } = stage.groups.get("app");

    await stage.clock.advance(299_999);
    const before = [stage.green, ...stage.did];
    await stage.clock.advance(1);

    expect(active).toBe("blue");
    expect(before).toEqual(["awake", "start"]);
    expect([stage.green, ...stage.did]).toEqual(["asleep", "start", "stop"]);
    expect(stage.happened.slice(-2)).toEqual(["failback", "standby-asleep"]);
  });

  test("is not stopped while somebody is on it", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();
    stage.pass(GREEN).pass(BLUE);
    stage.isBusy = true;

    await stage.clock.advance(300_000);
    const busy = stage.green;
    stage.isBusy = false;
    await stage.clock.advance(1_000);

    expect([busy, stage.green]).toEqual(["awake", "asleep"]);
  });

  test("does not keep the primary from coming back while it boots", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();

    stage.pass(BLUE);

    expect(stage.groups.get("app").active).toBe("blue");
    stage.pass(GREEN);
    expect(stage.groups.get("app").active).toBe("blue");
    await stage.clock.advance(300_000);
    expect([stage.green, stage.did]).toEqual(["asleep", ["start", "stop"]]);
  });

  test("whose start fails is started again, with growing pauses, for as long as it is needed", async () => {
    const stage = new Stage();
    stage.result = () => FAILED;
    stage.fail(BLUE);
    await stage.turn();
    const starts = [stage.did.length];

    for (const ms of [999, 1, 1_999, 1, 3_999, 1]) {
      await stage.clock.advance(ms);
      starts.push(stage.did.length);
    }
    stage.pass(BLUE);
    await stage.clock.advance(120_000);

    expect(starts).toEqual([1, 1, 2, 2, 3, 3, 4]);
    expect(stage.did.length).toBe(4);
    const failed = stage.told.find(({ type }) => type === "standby-failed");
    expect(failed?.reason).toBe(
      "start 1 came to nothing: no such container; the next one in 1 s where it is needed then",
    );
  });

  test("that boots for too long is stopped and started again", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();

    await stage.clock.advance(60_000);
    const after = [...stage.did];
    await stage.clock.advance(1_000);

    expect([after, stage.did]).toEqual([
      ["start", "stop"],
      ["start", "stop", "start"],
    ]);
    expect(stage.happened).toContain("standby-failed");
  });

  test("that dies while it serves is started again", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();
    stage.pass(GREEN);

    stage.fail(GREEN);
    await stage.turn();

    expect([stage.green, stage.did]).toEqual(["booting", ["start", "start"]]);
  });

  test("that ran when the gateway ended is probed, not started", async () => {
    const stage = new Stage(false);
    const reason = "it ran when the gateway ended";
    stage.groups.apply("app", { type: "standby-set", pool: "green", standby: "booting", reason });

    stage.standbys.begin();
    await stage.turn();
    stage.pass(GREEN);

    expect([stage.green, stage.did]).toEqual(["awake", []]);
  });
});

describe("by order", () => {
  test("it is started before it is needed", async () => {
    const stage = new Stage();

    const order = stage.order("start");
    await stage.turn();
    stage.pass(GREEN);

    expect(await order).toMatchObject({ ok: true, facts: { pool: "green" } });
    expect(await stage.order("start")).toMatchObject({
      ok: true,
      lines: ["green of app runs already"],
    });
    expect([stage.green, stage.groups.get("app").active]).toEqual(["awake", "blue"]);
  });

  test("it is told why it did not start", async () => {
    const stage = new Stage();
    stage.result = () => FAILED;

    const order = stage.order("start");
    await stage.turn();

    expect(await order).toMatchObject({
      ok: false,
      kind: "failed",
      lines: ["green did not start: no such container"],
    });
  });

  test("it is not stopped while it serves, unless that is insisted on", async () => {
    const stage = new Stage();
    stage.fail(BLUE);
    await stage.turn();
    stage.pass(GREEN);

    const refusal = await stage.order("stop");
    stage.pass(BLUE);
    const stopped = await stage.order("stop", true);

    expect(refusal).toMatchObject({ kind: "refused" });
    expect(stopped).toMatchObject({ ok: true, lines: ["green of app sleeps"] });
    expect(stage.green).toBe("asleep");
  });

  test("no other pool is started or stopped", async () => {
    const { clock, groups, standbys } = new Stage();
    const tools = { clock, groups, standbys, signal: new AbortController().signal };
    const order = { by: "ops", pool: "blue", action: "stop", force: true } as const;

    expect(await setStandby(tools, "app", order)).toMatchObject({
      kind: "refused",
      lines: ["blue is no cold standby: whether it runs is not for the gateway"],
    });
  });
});
