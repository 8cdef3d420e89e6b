import { describe, expect, test } from "vitest";
import type { GroupState } from "../../../src/failover/group-state.ts";
import { type KeptOrders, withOrders } from "../../../src/failover/kept-orders.ts";
import { aGroup, GroupStory } from "../../support/failover-groups.ts";

const NONE: KeptOrders = {
  primary: undefined,
  active: undefined,
  admin: {},
  door: { kind: "open" },
  split: undefined,
};

function begun(kept: Partial<KeptOrders>, policy = {}): GroupState {
  return withOrders(new GroupStory(aGroup(undefined, policy)).state, { ...NONE, ...kept }, 1000);
}

describe("a group that begins with what was ordered before", () => {
  test("is as configured where nothing was", () => {
    expect(begun({})).toEqual(begun({ primary: "blue", active: "blue" }));
  });

  test("has the primary that it was switched to, and drains nobody", () => {
    const { primary, active, pools } = begun({ primary: "green" });

    expect([primary, active]).toEqual(["green", "green"]);
    expect(pools.map(({ drainUntil }) => drainUntil)).toEqual([undefined, undefined]);
  });

  test("serves from the pool that it had failed over to, where failback is manual", () => {
    const { primary, active } = begun({ active: "green" }, { failback: "manual" });

    expect([primary, active]).toEqual(["blue", "green"]);
  });

  test("has the configured primary where the configuration does not know that pool any more", () => {
    const { primary, active } = begun({ primary: "grey", active: "grey" });

    expect([primary, active]).toEqual(["blue", "blue"]);
  });

  test("has its servers in the order that they were in, and moves where they make it move", () => {
    const { active, servers } = begun({ admin: { "blue blue1": "drain", "grey grey1": "maint" } });

    expect(active).toBe("green");
    expect(servers.map(({ admin, drainUntil }) => [admin, drainUntil])).toEqual([
      ["drain", undefined],
      ["ready", undefined],
    ]);
  });

  test.each([
    { door: { kind: "held", since: 0, until: 1001 }, is: "held" },
    { door: { kind: "held", since: 0, until: 1000 }, is: "open" },
    { door: { kind: "maintenance", since: 0 }, is: "maintenance" },
  ] as const)("has its door $is after $door", ({ door, is }) => {
    expect(begun({ door }).orders.door.kind).toBe(is);
  });

  test.each([
    { kept: undefined, is: undefined },
    { kept: [], is: [] },
    {
      kept: [
        { pool: "blue", weight: 1 },
        { pool: "grey", weight: 9 },
      ],
      is: [{ pool: "blue", weight: 1 }],
    },
    { kept: [{ pool: "grey", weight: 9 }], is: undefined },
  ])("is split by $is after $kept", ({ kept, is }) => {
    expect(begun({ split: kept }).orders.split).toEqual(is);
  });
});
