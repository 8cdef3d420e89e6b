import { expect, test } from "vitest";
import { chooseBound } from "../../../src/failover/bound.ts";
import type { GroupEvent } from "../../../src/failover/group.ts";
import type { Admin } from "../../../src/failover/server.ts";
import { aGroup, aPool, GroupStory } from "../../support/failover-groups.ts";

/** Two servers in blue, the primary; one in green. */
const POOLS = [aPool("blue", {}, {}), aPool("green", {})];
const BLUE1 = 0;
const GREEN1 = 2;
const LATER = 300_000;
const TIME: GroupEvent = { type: "time-passed" };
const PASSED: GroupEvent = { type: "check-passed", server: GREEN1 };

const switchTo = (to: string): GroupEvent => ({ type: "switched", to });
const set = (server: number, admin: Admin): GroupEvent => ({ type: "admin-set", server, admin });

function aStory(policy = {}): GroupStory {
  return new GroupStory(aGroup(POOLS, policy));
}

/** The server that a request bound to one gets. */
function boundTo({ state, now }: GroupStory, index: number, tried: readonly number[] = []) {
  return chooseBound(state, index, tried, now)?.server.spec.address;
}

test.each<[string, (story: GroupStory) => GroupStory, string | undefined]>([
  ["while it serves", (story) => story, "blue1"],
  ["while another of its pool is out", (story) => story.strike(1), "blue1"],
  ["not once it is down", (story) => story.strike(BLUE1), undefined],
  ["not in maintenance", (story) => story.apply(set(BLUE1, "maint")), undefined],
  ["while it drains", (story) => story.apply(set(BLUE1, "drain")).at(LATER - 1), "blue1"],
  [
    "not when it is down as it drains",
    (s) => s.strike(BLUE1).apply(set(BLUE1, "drain")),
    undefined,
  ],
  ["not at the end of its drain", (s) => s.apply(set(BLUE1, "drain")).at(LATER), undefined],
  ["not behind its drain", (s) => s.apply(set(BLUE1, "drain")).at(LATER).apply(TIME), undefined],
  [
    "while its pool drains after a switch",
    (s) => s.apply(switchTo("green")).at(LATER - 1),
    "blue1",
  ],
  [
    "not when it fails as its pool drains",
    (s) => s.apply(switchTo("green")).strike(BLUE1),
    undefined,
  ],
  ["not at the end of its pool's drain", (s) => s.apply(switchTo("green")).at(LATER), undefined],
  [
    "not behind its pool's drain",
    (story) =>
      story
        .apply(switchTo("green"))
        .at(LATER)
        .apply(TIME)
        .at(LATER * 9),
    undefined,
  ],
  [
    "again when its pool was made the primary again",
    (story) => story.apply(switchTo("green")).at(LATER).apply(TIME, switchTo("blue")),
    "blue1",
  ],
  [
    "again when its drained pool has to take over",
    (story) => story.apply(switchTo("green")).at(LATER).apply(TIME).strike(GREEN1),
    "blue1",
  ],
])("a bound request goes to its server %s", (_, tell, address) => {
  expect(boundTo(tell(aStory()), BLUE1)).toBe(address);
});

test("who is bound to the backup stays there after the failback", () => {
  const story = aStory().strike(0).strike(1);
  const before = [story.state.active, boundTo(story, GREEN1)];

  story.at(LATER * 9).apply({ type: "check-passed", server: 0 });

  expect([before, [story.state.active, boundTo(story, GREEN1)]]).toEqual([
    ["green", "green1"],
    ["blue", "green1"],
  ]);
});

test("a pool that had drained keeps those that it takes on as a backup", () => {
  const story = aStory().apply(switchTo("green"), switchTo("blue")).at(LATER).apply(TIME);
  const drained = boundTo(story, GREEN1);

  story
    .strike(0)
    .strike(1)
    .at(LATER + 9000)
    .apply({ type: "check-passed", server: 0 });

  expect([drained, story.state.active, boundTo(story, GREEN1)]).toEqual([
    undefined,
    "blue",
    "green1",
  ]);
});

test("a server that was tried, or is not there, gets no bound request", () => {
  const story = aStory();

  expect([boundTo(story, BLUE1, [BLUE1]), boundTo(story, BLUE1, [1]), boundTo(story, 7)]).toEqual([
    undefined,
    "blue1",
    undefined,
  ]);
});

test("where live traffic finds out what is back, a bound request can be the trial", () => {
  const story = aStory({ recheck: "live" }).strike(BLUE1).at(5001);

  const pick = chooseBound(story.state, BLUE1, [], story.now);

  expect([pick?.server.index, pick?.trial]).toEqual([BLUE1, true]);
});

test("a drained pool stays so, whatever its servers do", () => {
  const story = aStory().apply(switchTo("green")).at(LATER).apply(TIME, PASSED).strike(1);

  expect(story.state.pools.map(({ name, isDrained }) => [name, isDrained])).toEqual([
    ["green", false],
    ["blue", true],
  ]);
});
