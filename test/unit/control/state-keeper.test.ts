import { describe, expect, test } from "vitest";
import { StateKeeper } from "../../../src/control/state-keeper.ts";
import { StateMemory } from "../../../src/control/state-memory.ts";
import type { SavedGroup } from "../../../src/control/state-store.ts";
import { type GroupEvent } from "../../../src/failover/group.ts";
import { Groups } from "../../../src/failover/groups.ts";
import type { GroupSpec } from "../../../src/failover/spec.ts";
import { aGroup, aPool, struck } from "../../support/failover-groups.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const NEW_YEAR = Date.UTC(2026, 0, 1);
const COLD = [aPool("blue", {}), { ...aPool("green", {}), cold: true }];

/** A gateway's groups, over restarts: each has another clock, and the store of the one before. */
class Run {
  readonly clock = new ManualClock();
  readonly groups = new Groups(() => this.clock.now());
  readonly keeper: StateKeeper;
  readonly store: StateMemory;

  constructor(spec: GroupSpec = aGroup(), store = new StateMemory(), startsAt = 0) {
    this.clock.stall(startsAt);
    this.store = store;
    this.groups.load([spec]);
    this.keeper = new StateKeeper({ clock: this.clock, groups: this.groups, store });
  }

  get saved(): SavedGroup | undefined {
    return this.store.saved.groups["app"];
  }

  apply(...events: readonly GroupEvent[]): this {
    for (const event of events) this.groups.apply("app", event);
    return this;
  }

  /** `startsAt`: after the run before began, in ms. */
  restart(spec: GroupSpec = aGroup(), startsAt = 0): Run {
    return new Run(spec, this.store, startsAt);
  }

  get state() {
    return this.groups.get("app");
  }
}

describe("what is kept of a group", () => {
  test("is nothing, while it is as configured", () => {
    const run = new Run();
    run.groups.apply("app", struck(run.state, 0));

    expect(run.state.active).toBe("green");
    expect(run.store.saved.groups).toEqual({});
  });

  test("is whatever was ordered, and no more once it is taken back", () => {
    const run = new Run(aGroup(COLD)).apply(
      { type: "switched", to: "green" },
      { type: "admin-set", server: 0, admin: "maint" },
      { type: "door-set", door: { kind: "held", since: 0, until: 500 }, reason: "test" },
      { type: "split-set", split: [{ pool: "blue", weight: 3 }], reason: "test" },
      { type: "standby-set", pool: "green", standby: "booting", reason: "test" },
    );

    expect(run.saved).toEqual({
      primary: { name: "green", configured: "blue" },
      admin: { "blue blue1": "maint" },
      door: { kind: "held", since: NEW_YEAR, until: NEW_YEAR + 500 },
      split: { blue: 3 },
      awake: ["green"],
    });

    run.apply(
      { type: "switched", to: "blue" },
      { type: "admin-set", server: 0, admin: "ready" },
      { type: "door-set", door: { kind: "open" }, reason: "test" },
      { type: "split-set", split: undefined, reason: "test" },
      { type: "standby-set", pool: "green", standby: "asleep", reason: "test" },
    );
    expect(run.store.saved.groups).toEqual({});
  });

  test.each([
    { failback: "manual", saved: { active: "green" } },
    { failback: "never", saved: { primary: { name: "green", configured: "blue" } } },
  ] as const)("is where a failover went that does not end by itself: $failback", (one) => {
    const run = new Run(aGroup(undefined, { failback: one.failback }));
    run.groups.apply("app", struck(run.state, 0));

    expect(run.saved).toEqual(one.saved);
  });

  test("is the last switch, until it is undone", () => {
    const run = new Run();
    const lastSwitch = { from: "blue", to: "green", at: NEW_YEAR, by: "test" };

    run.keeper.noteSwitch("app", lastSwitch);
    run.apply({ type: "switched", to: "green" });
    expect(run.restart().keeper.lastSwitch("app")).toEqual(lastSwitch);

    run.keeper.noteSwitch("app", undefined);
    expect(run.saved).toEqual({ primary: { name: "green", configured: "blue" } });
  });

  test("is forgotten with the group", () => {
    const run = new Run().apply({ type: "switched", to: "green" });

    run.groups.load([{ ...aGroup(), name: "other" }]);
    run.keeper.follow();

    expect(run.store.saved.groups).toEqual({});
  });
});

describe("after a restart", () => {
  test("a group is as it was ordered", () => {
    const run = new Run().apply(
      { type: "switched", to: "green" },
      { type: "admin-set", server: 0, admin: "drain" },
      { type: "split-set", split: [{ pool: "green", weight: 1 }], reason: "test" },
    );

    const { primary, active, servers, orders } = run.restart().state;

    expect([primary, active, servers[0]?.admin]).toEqual(["green", "green", "drain"]);
    expect(orders.split).toEqual([{ pool: "green", weight: 1 }]);
  });

  test("a primary that was edited in the meantime is the later word", () => {
    const run = new Run().apply({ type: "switched", to: "green" });
    const edited = aGroup([aPool("grey", {}), aPool("blue", {}), aPool("green", {})]);

    expect(run.restart(edited).state.primary).toBe("grey");
  });

  test("a hold goes on for what is left of it, on the clock of the new process", () => {
    const held = { kind: "held", since: 0, until: 10_000 } as const;
    const run = new Run().apply({ type: "door-set", door: held, reason: "test" });

    expect(run.restart(aGroup(), 4000).state.orders.door).toEqual(held);
    expect(run.restart(aGroup(), 10_000).state.orders.door).toEqual({ kind: "open" });
  });

  test("maintenance goes on", () => {
    const door = { kind: "maintenance", since: 0 } as const;
    const run = new Run().apply({ type: "door-set", door, reason: "test" });

    expect(run.restart().state.orders.door).toEqual(door);
  });

  test("a cold standby that ran boots again", () => {
    const run = new Run(aGroup(COLD)).apply({
      type: "standby-set",
      pool: "green",
      standby: "booting",
      reason: "test",
    });

    const { pools } = run.restart(aGroup(COLD)).state;

    expect(pools.map(({ standby }) => standby)).toEqual(["awake", "booting"]);
  });

  test("what is kept of a door stays the same while other things change", () => {
    const held = { kind: "held", since: 0.4, until: 10_000.4 } as const;
    const run = new Run().apply({ type: "door-set", door: held, reason: "test" });
    const before = run.saved?.door;

    run.clock.stall(0.3);
    run.apply({ type: "switched", to: "green" });

    expect(run.saved?.door).toBe(before);
  });
});
