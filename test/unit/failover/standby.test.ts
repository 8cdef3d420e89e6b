import { describe, expect, test } from "vitest";
import { createGroup, type GroupEvent } from "../../../src/failover/group.ts";
import { isSpare, neededStandby } from "../../../src/failover/standby.ts";
import { aGroup, aPool, GroupStory, PROBED } from "../../support/failover-groups.ts";

const POOLS = [aPool("blue", {}), { ...aPool("green", { probe: PROBED }), cold: true }];
const BOOT: GroupEvent = { type: "standby-set", pool: "green", standby: "booting", reason: "on" };
const SLEEP: GroupEvent = { type: "standby-set", pool: "green", standby: "asleep", reason: "off" };

function standbyOf({ state }: GroupStory): string | undefined {
  return state.pools.find(({ name }) => name === "green")?.standby;
}

describe("a cold standby", () => {
  test("sleeps at first, boots when it is started, and is awake once a server of it passes", () => {
    const story = new GroupStory(aGroup(POOLS));
    const seen = [standbyOf(story)];

    seen.push(standbyOf(story.apply(BOOT)), standbyOf(story.pass(1, 2)));

    expect(seen).toEqual(["asleep", "booting", "awake"]);
    expect(story.happened).toContain("standby-booting");
  });

  test("that was stopped has nothing against it, and does not serve", () => {
    const story = new GroupStory(aGroup(POOLS)).apply(BOOT).pass(1, 2);

    story.apply(SLEEP);

    expect([standbyOf(story), story.server(1).health.status]).toEqual(["asleep", "starting"]);
    expect(story.server(1).health.reason).toBe("sleeps: it is a cold standby");
    expect(story.server(0).health.status).toBe("up");
  });

  test.each([
    ["a pool that sleeps already", SLEEP],
    ["a pool that nobody knows", { ...BOOT, pool: "grey" }],
  ])("order to %s changes nothing", (_name, order) => {
    const story = new GroupStory(aGroup(POOLS));
    const before = story.state;

    expect([story.apply(order).state, story.happened]).toEqual([before, []]);
  });

  test("sleeps on over a reload, with a gate or without", () => {
    const { state } = new GroupStory(aGroup(POOLS));

    const after = createGroup(aGroup(POOLS, { holdDownMs: 1 }), 1000, state);

    expect(after.servers.map(({ health }) => health.status)).toEqual(["up", "starting"]);
    expect(after.pools.map(({ standby }) => standby)).toEqual(["awake", "asleep"]);
  });

  test("hears of no probe while it sleeps", () => {
    const story = new GroupStory(aGroup(POOLS));
    const before = story.state;

    expect([story.pass(1, 3).state, story.happened]).toEqual([before, []]);
  });

  test.each<[name: string, events: readonly GroupEvent[], needed: string | undefined]>([
    ["while the primary serves", [], undefined],
    ["once the primary was taken out", [{ type: "admin-set", server: 0, admin: "maint" }], "green"],
    ["once its name is gone", [{ type: "resolve-failed", server: 0, reason: "?" }], "green"],
    ["not while it boots", [{ type: "admin-set", server: 0, admin: "maint" }, BOOT], undefined],
  ])("is needed: %s", (_name, events, needed) => {
    const { state } = new GroupStory(aGroup(POOLS)).apply(...events);

    expect(neededStandby(state)?.name).toBe(needed);
  });

  test("is needed where the primary answers, but not as it should", () => {
    const pools = [aPool("blue", { probe: PROBED }), { ...aPool("green", {}), cold: true }];
    const story = new GroupStory(aGroup(pools)).fail(0, 2, "answered 500", false);

    expect([story.server(0).health.status, neededStandby(story.state)?.name]).toEqual([
      "suspect",
      "green",
    ]);
  });

  test("is of no use once another pool serves, and not before", () => {
    const spare = ({ state }: GroupStory): boolean =>
      state.pools.some((one) => one.name === "green" && isSpare(state, one));
    const story = new GroupStory(aGroup(POOLS));
    const seen = [spare(story), spare(story.apply(BOOT)), spare(story.pass(1))];

    story.apply({ type: "switched", to: "green" });
    seen.push(spare(story));

    expect(seen).toEqual([false, false, true, false]);
  });
});
