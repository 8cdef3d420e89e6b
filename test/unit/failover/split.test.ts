import { describe, expect, test } from "vitest";
import { chooseServer } from "../../../src/failover/choose.ts";
import type { Share } from "../../../src/failover/group-orders.ts";
import { drawPool, isWithin, splitOf } from "../../../src/failover/split.ts";
import { aGroup, GroupStory, seatsOf } from "../../support/failover-groups.ts";

const CLIENTS = Array.from({ length: 2_000 }, (_, n) => `192.0.2.${n}`);
const CANARY: readonly Share[] = [
  { pool: "blue", weight: 95 },
  { pool: "green", weight: 5 },
];

function greens(shares: readonly Share[]): readonly string[] {
  return CLIENTS.filter((client) => drawPool(shares, client) === "green");
}

describe("a split", () => {
  test("gives each pool its part of the clients", () => {
    const part = greens(CANARY).length / CLIENTS.length;

    expect(part).toBeGreaterThan(0.03);
    expect(part).toBeLessThan(0.07);
  });

  test("keeps a client where it is while a pool's part grows", () => {
    const few = greens(CANARY);
    const more = new Set(
      greens([
        { pool: "blue", weight: 80 },
        { pool: "green", weight: 20 },
      ]),
    );

    expect(few.filter((client) => !more.has(client))).toEqual([]);
    expect(more.size).toBeGreaterThan(few.length);
  });

  test("of weight 0 gets nobody, and none shares nothing", () => {
    expect(
      greens([
        { pool: "blue", weight: 1 },
        { pool: "green", weight: 0 },
      ]),
    ).toEqual([]);
    expect(drawPool([], "192.0.2.1")).toBeUndefined();
  });

  test("counts as ordered, else as configured", () => {
    const story = new GroupStory(aGroup(undefined, {}, { split: CANARY }));
    const configured = splitOf(story.state);
    story.apply({ type: "split-set", split: [], reason: "all to one" });

    expect([configured, splitOf(story.state)]).toEqual([CANARY, []]);
  });

  test("ends with a switch: who makes a pool the primary wants all clients there", () => {
    const story = new GroupStory(aGroup(undefined, {}, { split: CANARY }));

    story.apply({ type: "switched", to: "green" });

    expect(splitOf(story.state)).toEqual([]);
    expect(story.happened).toEqual(["switched blue -> green", "split-changed"]);
  });
});

test("a part of all clients is always the same ones", () => {
  const some = CLIENTS.filter((client) => isWithin(10, client));
  const more = new Set(CLIENTS.filter((client) => isWithin(50, client)));

  expect(some.length / CLIENTS.length).toBeCloseTo(0.1, 1);
  expect(some.every((client) => more.has(client))).toBe(true);
  expect(CLIENTS.every((client) => isWithin(100, client))).toBe(true);
});

describe("a pool that a request prefers", () => {
  const pool = (story: GroupStory, tried: readonly number[], first: string) =>
    chooseServer(story.state, seatsOf(story.state), tried, "", 0, first)?.server.spec.pool;

  test("is asked first, the others after it", () => {
    const story = new GroupStory(aGroup());

    expect([pool(story, [], "green"), pool(story, [1], "green")]).toEqual(["green", "blue"]);
  });

  test("is passed over where it cannot serve, or is none", () => {
    const story = new GroupStory(aGroup()).strike(1);

    expect([pool(story, [], "green"), pool(story, [], "grey")]).toEqual(["blue", "blue"]);
  });
});
