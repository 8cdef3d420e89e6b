import { expect, test } from "vitest";
import { createGroup, type GroupEvent, nextDue } from "../../../src/failover/group.ts";
import { NGINX_POLICY } from "../../../src/failover/policy.ts";
import { aGroup, aPool, GroupStory } from "../../support/failover-groups.ts";

const THREE = [aPool("blue", {}), aPool("green", {}), aPool("red", {})];
const TIME: GroupEvent = { type: "time-passed" };
const passed = (server: number): GroupEvent => ({ type: "check-passed", server });
const maint = (server: number): GroupEvent => ({ type: "admin-set", server, admin: "maint" });
const ready = (server: number): GroupEvent => ({ type: "admin-set", server, admin: "ready" });

test("the primary takes over again as soon as a server of it is back", () => {
  const story = new GroupStory(aGroup()).strike(0).at(5000).apply(passed(0));

  expect([story.happened, story.reasons]).toEqual([
    ["server-down blue1", "failover blue -> green", "server-up blue1", "failback green -> blue"],
    [
      "refused the connection (1 of 1 strikes in 5 s)",
      "no server of blue serves: blue1 refused the connection (1 of 1 strikes in 5 s)",
      "passed a check",
      "blue is available again",
    ],
  ]);
});

test("a pool with a server left does not give up its place", () => {
  const story = new GroupStory(aGroup([aPool("blue", {}, {}), aPool("green", {})])).strike(0);

  expect([story.happened, story.state.active]).toEqual([["server-down blue1"], "blue"]);
});

test("the hold-down is measured from the recovery and begins anew with each fall", () => {
  const story = new GroupStory(aGroup(undefined, { holdDownMs: 10_000 })).strike(0);
  expect(nextDue(story.state)).toBeUndefined();

  story.at(5000).apply(passed(0)).at(7000).strike(0).at(12_000).apply(passed(0));
  expect(nextDue(story.state)).toBe(22_000);

  story.from(21_999).apply(TIME);
  expect([story.happened, story.state.active]).toEqual([[], "green"]);
  story.from(22_000).apply(TIME);
  expect([story.happened, story.reasons]).toEqual([
    ["failback green -> blue"],
    ["blue is available again for 10 s"],
  ]);
  expect(nextDue(story.state)).toBeUndefined();
});

test("of two pools that recovered the one whose hold-down ends takes over, then the preferred one", () => {
  const story = new GroupStory(aGroup(THREE, { holdDownMs: 1000 })).strike(0).strike(1);
  story.from(5000).apply(passed(1)).at(5500).apply(passed(0));
  expect(nextDue(story.state)).toBe(6000);

  story.at(6000).apply(TIME);
  expect(nextDue(story.state)).toBe(6500);
  story.at(6500).apply(TIME);

  expect(story.happened.filter((one) => one.startsWith("failback"))).toEqual([
    "failback red -> green",
    "failback green -> blue",
  ]);
});

test("no hold-down keeps a group dead: a preferred pool takes over at once from a dead one", () => {
  const story = new GroupStory(aGroup(THREE, { holdDownMs: 60_000 }))
    .strike(0)
    .strike(1)
    .at(9000)
    .apply(passed(0));
  story.from(9100).apply(maint(2));

  expect([story.happened, story.reasons]).toEqual([
    ["failback red -> blue"],
    ["no server of red serves: red1 is in maintenance"],
  ]);
});

function backByHand(): GroupStory {
  const story = new GroupStory(aGroup(undefined, { failback: "manual" })).strike(0);
  return story.from(5000).apply(passed(0));
}

test("failback: manual waits for a switch, or for the active pool to die", () => {
  expect([backByHand().happened, nextDue(backByHand().state)]).toEqual([
    ["server-up blue1", "pool-up"],
    undefined,
  ]);

  const switched = backByHand().from(6000).apply({ type: "switched", to: "blue" });
  expect([switched.happened, switched.reasons]).toEqual([
    ["switched green -> blue"],
    ["blue was made the primary"],
  ]);

  const died = backByHand().from(6000).strike(1);
  expect(died.happened).toEqual(["server-down green1", "failback green -> blue"]);
});

test("failback: never makes the pool that took over the primary", () => {
  const story = new GroupStory(aGroup(THREE, { failback: "never" })).strike(0).apply(passed(0));
  expect([story.state.primary, story.state.active]).toEqual(["green", "green"]);

  story.from(6000).strike(1);
  expect([story.happened, story.state.primary]).toEqual([
    ["server-down green1", "failover green -> blue"],
    "blue",
  ]);
});

test("the others keep the order written behind a pool that took over for good", () => {
  const story = new GroupStory(aGroup(THREE, { failback: "never" })).strike(0).apply(passed(0));
  story.apply(maint(0)).strike(1);

  expect(story.state.pools.map(({ name }) => name)).toEqual(["red", "blue", "green"]);
});

test("a switch makes a pool the primary and active", () => {
  const story = new GroupStory(aGroup(THREE)).apply({ type: "switched", to: "red" });

  const { primary, active, pools } = story.state;
  expect([primary, active, pools.map(({ name }) => name)]).toEqual([
    "red",
    "red",
    ["red", "blue", "green"],
  ]);
  expect(story.happened).toEqual(["switched blue -> red"]);
});

test("a switch to the pool that took over makes it the primary", () => {
  const story = new GroupStory(aGroup()).strike(0).from(1).apply({ type: "switched", to: "green" });

  expect([story.happened, story.state.primary]).toEqual([["switched blue -> green"], "green"]);
  const { state } = story;
  expect(story.apply({ type: "switched", to: "green" }).state).toBe(state);
});

test("a switch to a pool that cannot serve is made good by the next best", () => {
  const story = new GroupStory(aGroup()).apply(maint(1)).from(1);
  story.apply({ type: "switched", to: "green" });

  expect(story.happened).toEqual(["switched blue -> green", "failover green -> blue"]);
  expect([story.state.primary, story.state.active]).toEqual(["green", "blue"]);
  expect(story.from(2).apply(ready(1)).happened).toEqual(["failback blue -> green"]);
});

test("a switch to a pool that does not exist is a bug", () => {
  const story = new GroupStory(aGroup());

  expect(() => story.apply({ type: "switched", to: "red" })).toThrow('group "app": no pool "red"');
});

test("all down and recovered are told once each, and the active pool stays meanwhile", () => {
  const story = new GroupStory(aGroup(undefined, NGINX_POLICY))
    .strike(0)
    .from(0)
    .strike(1)
    .strike(1);
  expect([story.happened, story.state.active]).toEqual([
    ["server-down green1", "all-down"],
    "green",
  ]);

  story
    .from(5001)
    .apply(
      { type: "trial-started", server: 0 },
      { type: "attempt-succeeded", server: 0, generation: 1 },
      { type: "trial-started", server: 1 },
      { type: "attempt-succeeded", server: 1, generation: 1 },
    );
  expect(story.happened).toEqual([
    "server-up blue1",
    "group-recovered",
    "failback green -> blue",
    "server-up green1",
    "pool-up",
  ]);
  expect(story.reasons[1]).toBe("blue1 answered a request again");
});

test("a group whose servers are all in maintenance is down, and back with the first one", () => {
  const story = new GroupStory(aGroup()).apply(maint(0), maint(1)).apply(ready(1));

  expect([story.happened, story.reasons[1]]).toEqual([
    ["failover blue -> green", "all-down", "group-recovered"],
    "blue1 is in maintenance, green1 is in maintenance",
  ]);
});

test("a group begins with its primary, or with the next best where that is configured down", () => {
  const pools = [aPool("blue", { down: true }), aPool("green", {})];
  const auto = createGroup(aGroup(pools), 0);
  const never = createGroup(aGroup(pools, { failback: "never" }), 0);

  expect([auto.primary, auto.active]).toEqual(["blue", "green"]);
  expect([never.primary, never.active]).toEqual(["green", "green"]);
});

test("a group without pools is empty, not down", () => {
  const { primary, active, servers, pools, turns, ahead, allDown } = createGroup(aGroup([]), 0);

  expect({ primary, active, servers, pools, turns, ahead, allDown }).toEqual({
    primary: "",
    active: "",
    servers: [],
    pools: [],
    turns: [],
    ahead: 0,
    allDown: false,
  });
});

test("a server that a reload took out is heard no more", () => {
  const story = new GroupStory(aGroup());
  const { state } = story;

  expect(story.apply(passed(7)).state).toBe(state);
});
