import { describe, expect, test } from "vitest";
import { type Fate, fateOf, isDraining, staysUntil } from "../../../src/failover/drain.ts";
import { createGroup, type GroupEvent, nextDue } from "../../../src/failover/group.ts";
import { Groups } from "../../../src/failover/groups.ts";
import { aGroup, aPool, BLUE_GREEN, GroupStory, struck } from "../../support/failover-groups.ts";

const TIME: GroupEvent = { type: "time-passed" };
const TO_GREEN: GroupEvent = { type: "switched", to: "green" };
const TO_BLUE: GroupEvent = { type: "switched", to: "blue" };
const passed = (server: number): GroupEvent => ({ type: "check-passed", server });
const set = (server: number, admin: "ready" | "drain" | "maint"): GroupEvent => ({
  type: "admin-set",
  server,
  admin,
});

/** Pools and servers with the time until when they drain. */
function drainsOf({ state }: GroupStory): readonly string[] {
  const pools = state.pools.map(({ name, drainUntil }) => [name, drainUntil] as const);
  const servers = state.servers.map(({ spec, drainUntil }) => [spec.address, drainUntil] as const);
  return [...pools, ...servers].flatMap(([name, until]) =>
    until === undefined ? [] : [`${name} ${until}`],
  );
}

describe("what drains after", () => {
  test.each<[string, readonly GroupEvent[], readonly string[]]>([
    ["a switch", [TO_GREEN], ["blue 300000"]],
    ["a switch and another back", [TO_GREEN, TO_BLUE], ["green 300000"]],
    ["the same switch twice", [TO_GREEN, TO_GREEN], ["blue 300000"]],
    ["a switch to a pool that is out", [set(1, "maint"), TO_GREEN], ["green1 300000"]],
    [
      "a switch to the pool that took over",
      [passed(0), set(0, "maint"), TO_GREEN],
      ["blue1 300000"],
    ],
    ["the order to drain a server", [set(0, "drain")], ["blue1 300000"]],
    ["the order to maintain a server", [set(0, "maint")], ["blue1 300000"]],
    ["an order taken back", [set(0, "drain"), set(0, "ready")], []],
  ])("%s", (_, events, drains) => {
    expect(drainsOf(new GroupStory(aGroup()).apply(...events))).toEqual(drains);
  });
});

test("neither a failover nor a failback drains a pool", () => {
  const story = new GroupStory(aGroup()).strike(0);
  const after = drainsOf(story);

  story.at(5000).apply(passed(0));

  expect([after, drainsOf(story)]).toEqual([[], []]);
  expect(story.happened).toContain("failback green -> blue");
});

test("a pool that drains and has to take over drains no more", () => {
  const story = new GroupStory(aGroup()).apply(TO_GREEN).strike(1);

  expect([story.state.active, drainsOf(story)]).toEqual(["blue", []]);
});

test("from one way of being out to another the drain of a server goes on", () => {
  const story = new GroupStory(aGroup()).apply(set(0, "drain")).at(1000).apply(set(0, "maint"));

  expect(drainsOf(story)).toEqual(["blue1 300000"]);
});

test("a drain ends at its time, not a moment before, and is told", () => {
  const pools = [aPool("blue", {}), aPool("green", {}, {})];
  const story = new GroupStory(aGroup(pools)).apply(TO_GREEN).at(1000).apply(set(1, "drain"));
  const due = [nextDue(story.state)];

  story.from(299_999).apply(TIME);
  const early = story.happened;
  story.from(300_000).apply(TIME);
  due.push(nextDue(story.state));
  story.at(301_000).apply(TIME);

  expect([early, due]).toEqual([[], [300_000, 301_000]]);
  expect([story.happened, drainsOf(story)]).toEqual([["drained blue", "drained green1"], []]);
});

test("a drain without time is due at once", () => {
  const drain = { tunnelsMs: 0, spreadMs: 0, graceMs: 0 };
  const story = new GroupStory(aGroup(BLUE_GREEN, {}, { drain })).at(7).apply(TO_GREEN);

  expect([drainsOf(story), nextDue(story.state)]).toEqual([["blue 7"], 7]);
});

test("a server is draining by its own order or by its pool's", () => {
  const { state } = new GroupStory(aGroup([aPool("blue", {}), aPool("green", {}, {})])).apply(
    TO_GREEN,
    set(2, "drain"),
  );

  expect(state.servers.map((server) => isDraining(state, server))).toEqual([true, false, true]);
});

describe("over a reload", () => {
  test("a drain goes on, and begins where the configuration takes the active pool out", () => {
    let now = 0;
    const groups = new Groups(() => now);
    const drains = () => groups.get("app").pools.map((pool) => [pool.name, pool.drainUntil]);
    groups.load([aGroup()]);
    groups.apply("app", TO_GREEN);
    now = 1000;
    groups.load([aGroup()]);
    const kept = drains();
    groups.load([aGroup(BLUE_GREEN.toReversed(), {}, { primary: "green" })]);
    groups.load([aGroup()]);

    expect([kept, drains()]).toEqual([
      [
        ["green", undefined],
        ["blue", 300_000],
      ],
      [
        ["blue", undefined],
        ["green", 301_000],
      ],
    ]);
  });

  test("a server that the configuration takes out drains, and so does its pool", () => {
    const groups = new Groups(() => 0);
    groups.load([aGroup()]);

    groups.load([aGroup([aPool("blue", { down: true }), aPool("green", {})])]);

    const { pools, servers } = groups.get("app");
    expect(pools.map(({ drainUntil }) => drainUntil)).toEqual([300_000, undefined]);
    expect(servers.map(({ drainUntil }) => drainUntil)).toEqual([300_000, undefined]);
  });

  test("a group that begins with another pool than its primary drains nothing", () => {
    const groups = new Groups(() => 0);
    groups.load([aGroup([aPool("blue", { down: true }), aPool("green", {})])]);
    const begun = groups.get("app").pools;
    groups.apply("app", struck(groups.get("app"), 1));

    expect(begun.map(({ drainUntil }) => drainUntil)).toEqual([undefined, undefined]);
  });
});

describe("what is bound to a server that is taken out of the configuration may stay", () => {
  test.each<[string, readonly GroupEvent[], number, number]>([
    ["as long as behind a switch", [], 1000, 301_000],
    ["until the drain of its pool ends", [TO_GREEN], 1000, 300_000],
    ["until its own drain ends", [set(0, "drain")], 1000, 300_000],
    ["no more where its pool has drained", [TO_GREEN, TIME], 400_000, 400_000],
    ["no more where it has drained", [set(0, "drain"), TIME], 400_000, 400_000],
  ])("%s", (_, events, now, until) => {
    const story = new GroupStory(aGroup()).apply(...events.slice(0, 1)).at(now);
    const { state } = story.apply(...events.slice(1));

    expect(staysUntil(state, story.server(0), now)).toBe(until);
  });
});

describe("the long-lived connections of a server", () => {
  const down = (server: number) => struck(new GroupStory(aGroup()).state, server);

  test.each<[string, readonly GroupEvent[], GroupEvent, number, Fate]>([
    ["are not concerned when its pool begins to drain", [], TO_GREEN, 5, "as-before"],
    ["leave when its pool's drain has ended", [TO_GREEN], TIME, 300_000, "leave"],
    ["leave when its own drain has ended", [set(0, "drain")], TIME, 300_000, "leave"],
    ["stay when its pool is active again", [TO_GREEN], TO_BLUE, 5, "stay"],
    ["stay when it is ready again", [set(0, "drain")], set(0, "ready"), 5, "stay"],
    ["are not concerned by another server", [], set(1, "maint"), 5, "as-before"],
    ["break when it goes down", [], down(0), 5, "break"],
    ["break when it goes down while it drains", [TO_GREEN], down(0), 5, "break"],
  ])("%s", (_, events, event, now, fate) => {
    const story = new GroupStory(aGroup()).apply(...events);
    const { state } = story;
    const after = story.at(now).apply(event).state;

    expect(fateOf(state, after, after.servers[0]!)).toBe(fate);
  });

  test("are not concerned by a failback away from it", () => {
    const story = new GroupStory(aGroup()).strike(0);
    const { state } = story;
    const after = story.apply(passed(0)).state;

    expect(after.active).toBe("blue");
    expect(fateOf(state, after, after.servers[1]!)).toBe("as-before");
  });

  test("are followed to the place where a reload puts their server", () => {
    const story = new GroupStory(aGroup()).apply(TO_GREEN);
    const moved = aGroup([aPool("red", {}), ...BLUE_GREEN.toReversed()], {}, { primary: "blue" });
    const edited = { ...story.state, spec: { ...story.state.spec, primary: "red" } };
    const after = createGroup(moved, 5, edited);

    expect(after.servers.map((server) => fateOf(story.state, after, server))).toEqual([
      "as-before",
      "as-before",
      "stay",
    ]);
  });

  test("are not concerned by a reload that puts another server, or one more, in its place", () => {
    const { state } = new GroupStory(aGroup());
    const other = createGroup(aGroup([aPool("red", {}, {}, {})]), 0, state);

    expect(other.servers.map((server) => fateOf(state, other, server))).toEqual([
      "as-before",
      "as-before",
      "as-before",
    ]);
  });
});
