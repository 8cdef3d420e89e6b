import { describe, expect, test } from "vitest";
import type { GroupEvent } from "../../../src/failover/group.ts";
import { aGroup, aPool, BLUE_GREEN, GroupStory, PROBED } from "../../support/failover-groups.ts";

const TWO_GREEN = [aPool("blue", {}), aPool("green", {}, {})];
const PROBED_GREEN = [aPool("blue", {}), aPool("green", { probe: PROBED })];

const MAINT: GroupEvent = { type: "admin-set", server: 1, admin: "maint" };
const NO_NAME: GroupEvent = { type: "resolve-failed", server: 1, reason: "ENOTFOUND" };

function story(pools = BLUE_GREEN): GroupStory {
  return new GroupStory(aGroup(pools));
}

describe("of a pool that stands by", () => {
  test("it is told when it could not serve any more, and when it could again", () => {
    const told = story().strike(1).apply({ type: "check-passed", server: 1 });

    expect(told.happened).toEqual([
      "server-down green1",
      "pool-down",
      "server-up green1",
      "pool-up",
    ]);
    expect(told.reasons[1]).toBe("green1 refused the connection (1 of 1 strikes in 5 s)");
  });

  test("it is told once its last server is gone", () => {
    const told = story(TWO_GREEN).strike(1);
    expect(told.happened).toEqual(["server-down green1"]);

    expect(told.strike(2).happened.slice(1)).toEqual(["server-down green2", "pool-down"]);
  });

  test("a name that does not resolve is no better than a server that is down", () => {
    expect(story().apply(NO_NAME).happened).toEqual(["server-unresolved green1", "pool-down"]);
  });

  test("nothing is told where an operator took it out", () => {
    const told = story(PROBED_GREEN).apply(MAINT).fail(1, 2);

    expect(told.happened).not.toContain("pool-down");
  });

  test("nothing is told of a cold one that sleeps", () => {
    const pools = [aPool("blue", {}), { ...aPool("green", { probe: PROBED }), cold: true }];

    expect(story(pools).fail(1, 2).happened).not.toContain("pool-down");
  });

  test("nothing is told of the pool that serves: the move tells", () => {
    expect(story().strike(0).happened).toEqual(["server-down blue1", "failover blue -> green"]);
  });
});
