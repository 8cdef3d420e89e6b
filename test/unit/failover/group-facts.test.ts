import { describe, expect, test } from "vitest";
import { factsOf, knownBy, withFacts } from "../../../src/failover/group-facts.ts";
import type { GroupState } from "../../../src/failover/group-state.ts";
import { aGroup, aPool, BLUE_GREEN, GroupStory } from "../../support/failover-groups.ts";

/** `blue1 ready down`, ... */
function serversOf({ servers }: GroupState): readonly string[] {
  return servers.map(({ spec, admin, health }) => `${spec.address} ${admin} ${health.status}`);
}

test("facts are plain data, servers by their keys", () => {
  const story = new GroupStory(aGroup()).at(100).strike(0);

  expect(factsOf(story.state)).toEqual({
    group: "app",
    primary: "blue",
    active: "green",
    orders: { door: { kind: "open" }, split: undefined },
    pools: [
      {
        name: "blue",
        servingSince: undefined,
        drainUntil: undefined,
        isDrained: false,
        standby: "awake",
      },
      { name: "green", servingSince: 0, drainUntil: undefined, isDrained: false, standby: "awake" },
    ],
    servers: [
      {
        key: "blue blue1",
        admin: "ready",
        drainUntil: undefined,
        health: {
          status: "down",
          since: 100,
          reason: "refused the connection (1 of 1 strikes in 5 s)",
          failedIn: "connect",
          checkAt: 5100,
          checks: 0,
          heldUntil: undefined,
        },
        strikes: [100],
        trialAt: undefined,
        probes: { passes: 0, fails: 0 },
        falls: [100],
        generation: 1,
      },
      {
        key: "green green1",
        admin: "ready",
        drainUntil: undefined,
        health: { status: "up", since: 0, reason: "has not failed yet" },
        strikes: [],
        trialAt: undefined,
        probes: { passes: 0, fails: 0 },
        falls: [],
        generation: 0,
      },
    ],
  });
});

test("of another configuration they apply to what it has; the rest is as at a start", () => {
  const story = new GroupStory(aGroup([...BLUE_GREEN, aPool("red", {})]));
  story.strike(0).apply({ type: "switched", to: "red" });

  const state = withFacts(aGroup([aPool("white", {}), aPool("blue", {})]), factsOf(story.state));

  expect([state.primary, state.active]).toEqual(["white", "white"]);
  expect(serversOf(state)).toEqual(["white1 ready up", "blue1 ready down"]);
  expect(state.pools.map(({ servingSince }) => servingSince)).toEqual([0, undefined]);
});

describe("to who goes by an older configuration", () => {
  const old = new GroupStory(aGroup([aPool("blue", {}, {}), aPool("red", {})])).strike(2);
  const spec = aGroup([aPool("white", {}), aPool("blue", {})], {}, { primary: "blue" });
  const now = new GroupStory(spec)
    .strike(1)
    .apply({ type: "admin-set", server: 1, admin: "drain" });

  test("servers that are still there are known as they are now, others as they were last", () => {
    const known = knownBy(old.state, factsOf(now.state));

    expect(serversOf(known)).toEqual(["blue1 drain down", "blue2 ready up", "red1 ready down"]);
    expect(known.spec).toBe(old.state.spec);
  });

  test("nothing has changed where nothing has", () => {
    expect(knownBy(old.state, factsOf(old.state))).toStrictEqual(old.state);
  });
});
