import { describe, expect, test } from "vitest";
import { nextDue } from "../../../src/failover/group.ts";
import type { Door } from "../../../src/failover/group-orders.ts";
import { aGroup, GroupStory } from "../../support/failover-groups.ts";

const OPEN: Door = { kind: "open" };
const HELD: Door = { kind: "held", since: 0, until: 30_000 };
const MAINTENANCE: Door = { kind: "maintenance", since: 0 };

function ordered(...doors: readonly Door[]): GroupStory {
  const story = new GroupStory(aGroup());
  for (const door of doors) story.apply({ type: "door-set", door, reason: "ops said so" });
  return story;
}

describe("the door of a group", () => {
  test.each([
    { doors: [HELD], happened: ["held"] },
    { doors: [HELD, OPEN], happened: ["held", "resumed"] },
    { doors: [MAINTENANCE, OPEN], happened: ["maintenance-began", "maintenance-ended"] },
    { doors: [HELD, MAINTENANCE], happened: ["held", "maintenance-began"] },
    { doors: [OPEN], happened: [] },
  ])("tells what was ordered: $happened", ({ doors, happened }) => {
    const story = ordered(...doors);

    expect([story.happened, story.state.orders.door]).toEqual([happened, doors.at(-1)]);
  });

  test("that is held opens by itself when its time is up, and not before", () => {
    const story = ordered(HELD);

    expect(nextDue(story.state)).toBe(30_000);
    expect(story.at(29_999).apply({ type: "time-passed" }).happened).toEqual(["held"]);
    expect(story.at(30_000).apply({ type: "time-passed" }).happened).toEqual(["held", "resumed"]);
    expect(story.state.orders.door).toEqual(OPEN);
    expect(story.reasons.at(-1)).toBe("the time of the hold is up");
  });

  test("in maintenance stays so", () => {
    const story = ordered(MAINTENANCE).at(1e9).apply({ type: "time-passed" });

    expect([nextDue(story.state), story.state.orders.door]).toEqual([undefined, MAINTENANCE]);
  });
});

test("a split takes the place of the configured one, until it is taken back", () => {
  const split = [{ pool: "green", weight: 5 }];
  const story = new GroupStory(aGroup());

  story.apply({ type: "split-set", split, reason: "canary" });
  expect(story.state.orders.split).toEqual(split);
  story.apply({ type: "split-set", split: undefined, reason: "as configured" });
  expect(story.state.orders.split).toBeUndefined();
  expect(story.happened).toEqual(["split-changed", "split-changed"]);
});
