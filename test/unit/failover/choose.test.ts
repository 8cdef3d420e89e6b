import { expect, test } from "vitest";
import { chooseServer, type Seat, triesLeft, whyNone } from "../../../src/failover/choose.ts";
import { createGroup } from "../../../src/failover/group.ts";
import type { GroupState } from "../../../src/failover/group-state.ts";
import { NGINX_POLICY } from "../../../src/failover/policy.ts";
import { aGroup, aPool, GroupStory, seatsOf, SILENT } from "../../support/failover-groups.ts";

const THREE_POOLS = [aPool("blue", {}), aPool("green", {}), aPool("red", {})];

/** The letters of the servers that so many requests in a row get. */
function lettersOf(state: GroupState, seats: readonly Seat[], requests: number, key = ""): string {
  const picks = Array.from({ length: requests }, () => chooseServer(state, seats, [], key, 0));
  return picks.map((pick) => (pick ? "ABCDEF".charAt(pick.server.index) : "-")).join("");
}

function weighted(...weights: readonly number[]): GroupState {
  return createGroup(aGroup([aPool("blue", ...weights.map((weight) => ({ weight })))]), 0);
}

test.each([
  [[5, 1, 1], "AABACAAAABACAA"],
  [[3, 1], "AABAAABA"],
  [[1, 1, 1], "ABCABC"],
  [[1], "AAA"],
] as const)("weights %j take turns smoothly", (weights, letters) => {
  const state = weighted(...weights);

  expect(lettersOf(state, seatsOf(state), letters.length)).toBe(letters);
});

test("a server that was tried is passed over, in its turn and without gaining weight", () => {
  const state = weighted(3, 1);
  const seats = seatsOf(state);

  const second = chooseServer(state, seats, [0], "", 0);

  expect(second?.server.index).toBe(1);
  expect(seats).toEqual([
    { inFlight: 0, current: 0 },
    { inFlight: 0, current: 0 },
  ]);
});

test("an exchange meets the pools in order, and no server twice", () => {
  const state = createGroup(
    aGroup([aPool("blue", {}, {}), aPool("green", {}), aPool("red", {})]),
    0,
  );
  const seats = seatsOf(state);
  const tried: number[] = [];

  for (let pick = chooseServer(state, seats, tried, "", 0); pick !== undefined;) {
    tried.push(pick.server.index);
    pick = chooseServer(state, seats, tried, "", 0);
  }

  expect(tried).toEqual([0, 1, 2, 3]);
});

test("after a failover the active pool is asked first, then the others by preference", () => {
  const pools = [aPool("blue", {}, {}), aPool("green", {}), aPool("red", {})];
  const { state } = new GroupStory(aGroup(pools, { failback: "manual" })).apply({
    type: "switched",
    to: "red",
  });
  const next = (tried: number[]) =>
    chooseServer(state, seatsOf(state), tried, "", 0)?.server.spec.pool;

  expect([next([]), next([3]), next([3, 0]), next([3, 0, 1])]).toEqual([
    "red",
    "blue",
    "blue",
    "green",
  ]);
});

test("a full server is passed over until one of its exchanges ends", () => {
  const state = createGroup(aGroup([aPool("blue", { maxConns: 1 }), aPool("green", {})]), 0);
  const seats = seatsOf(state);
  const next = () => {
    const { server } = chooseServer(state, seats, [], "", 0)!;
    seats[server.index]!.inFlight++;
    return server.spec.address;
  };

  expect([next(), next(), next()]).toEqual(["blue1", "green1", "green1"]);
  seats[0]!.inFlight--;
  expect(next()).toBe("blue1");
});

test("a server in drain, in maintenance, down or without an address gets nothing", () => {
  const story = new GroupStory(aGroup([aPool("blue", {}, {}, {}, {}, {})]))
    .apply({ type: "admin-set", server: 0, admin: "drain" })
    .apply({ type: "admin-set", server: 1, admin: "maint" })
    .strike(2)
    .apply({ type: "resolve-failed", server: 3, reason: "not found" });

  expect(lettersOf(story.state, seatsOf(story.state), 3)).toBe("EEE");
});

test("least_conn takes the lowest load for its weight, and takes turns among equals", () => {
  const pools = [aPool("blue", { weight: 2 }, {}, { maxConns: 1 })];
  const state = createGroup(aGroup(pools, {}, { balance: { kind: "least_conn" } }), 0);
  const letters = (...inFlight: readonly number[]) =>
    lettersOf(
      state,
      inFlight.map((count) => ({ inFlight: count, current: 0 })),
      4,
    );

  expect(letters(0, 0, 0)).toBe("ABCA");
  expect(letters(1, 1, 1)).toBe("AAAA");
  expect(letters(2, 1, 1)).toBe("ABAA");
  expect(letters(4, 1, 1)).toBe("BBBB");
});

test("hash gives a key to one server, and takes turns where the key is empty", () => {
  const pools = [aPool("blue", {}, {}, {}), aPool("green", {})];
  const state = createGroup(
    aGroup(pools, {}, { balance: { kind: "hash", key: "$remote_addr" } }),
    0,
  );
  const seats = seatsOf(state);

  const ofOneKey = new Set(lettersOf(state, seats, 20, "10.0.0.7"));
  const ofManyKeys = new Set(
    Array.from({ length: 50 }, (_, at) => lettersOf(state, seats, 1, `10.0.0.${at}`)),
  );

  expect(ofOneKey.size).toBe(1);
  expect(ofManyKeys).toEqual(new Set(["A", "B", "C"]));
  expect(lettersOf(state, seats, 6)).toBe("ABCABC");
});

test("a hashed key whose server was tried goes to another of its pool", () => {
  const pools = [aPool("blue", {}, {}), aPool("green", {})];
  const state = createGroup(aGroup(pools, {}, { balance: { kind: "hash", key: "$uri" } }), 0);
  const seats = seatsOf(state);
  const first = chooseServer(state, seats, [], "/a", 0)!.server.index;

  const second = chooseServer(state, seats, [first], "/a", 0)!.server.index;

  expect(new Set([first, second])).toEqual(new Set([0, 1]));
  expect(chooseServer(state, seats, [0, 1], "/a", 0)?.server.index).toBe(2);
});

test.each(["round_robin", "least_conn", "hash"] as const)(
  "with %s a server without a seat is not chosen",
  (kind) => {
    const balance = kind === "hash" ? { kind, key: "$uri" } : { kind };
    const state = createGroup(aGroup([aPool("blue", {}, {})], {}, { balance }), 0);

    const keys = kind === "hash" ? ["a", "b", "c", "d"] : ["", "", "", ""];
    const picks = keys.map((key) => {
      return chooseServer(state, [{ inFlight: 0, current: 0 }], [], key, 0)?.server.index;
    });

    expect(picks).toEqual([0, 0, 0, 0]);
  },
);

test("with live rechecks a preferred server that was down long enough is tried by one request", () => {
  const story = new GroupStory(aGroup(undefined, NGINX_POLICY)).strike(0);
  const seats = seatsOf(story.state);
  const pick = (now: number) => {
    const { server, trial } = chooseServer(story.state, seats, [], "", now)!;
    if (trial) story.at(now).apply({ type: "trial-started", server: server.index });
    return `${server.spec.address} ${trial ? "as a trial" : "as usual"}`;
  };

  expect([pick(1), pick(5000), pick(5001), pick(5002), pick(10_001), pick(10_002)]).toEqual([
    "green1 as usual",
    "green1 as usual",
    "blue1 as a trial",
    "green1 as usual",
    "green1 as usual",
    "blue1 as a trial",
  ]);
});

test("within the hold-down a recovered pool gets nothing but trials", () => {
  const pools = [aPool("blue", {}, {}), aPool("green", {})];
  const policy = { ...NGINX_POLICY, holdDownMs: 60_000 };
  const story = new GroupStory(aGroup(pools, policy)).strike(0).strike(1);
  story
    .at(6000)
    .apply(
      { type: "trial-started", server: 0 },
      { type: "attempt-succeeded", server: 0, generation: 1 },
    );
  const pick = () => {
    const { server, trial } = chooseServer(story.state, seatsOf(story.state), [], "", 6000)!;
    return [server.spec.address, trial];
  };

  expect(pick()).toEqual(["blue2", true]);
  story.apply({ type: "trial-started", server: 1 });
  expect(pick()).toEqual(["green1", false]);
});

test.each([
  ["live rechecks", { ...NGINX_POLICY, holdDownMs: 60_000 }],
  ["background checks", { holdDownMs: 60_000 }],
  ["failback by hand", { ...NGINX_POLICY, failback: "manual" }],
] as const)("with %s a retry may go to a recovered pool before it takes over", (_, policy) => {
  const story = new GroupStory(aGroup(THREE_POOLS, policy))
    .strike(0)
    .at(6000)
    .apply(
      { type: "trial-started", server: 0 },
      { type: "attempt-succeeded", server: 0, generation: 1 },
      { type: "check-passed", server: 0 },
    );
  const next = (tried: number[]) =>
    chooseServer(story.state, seatsOf(story.state), tried, "", 6000)?.server.spec.address;

  expect([next([]), next([1]), next([1, 0]), next([0, 1, 2])]).toEqual([
    "green1",
    "blue1",
    "red1",
    undefined,
  ]);
});

test.each([
  ["live rechecks", NGINX_POLICY, ["blue", "green", "red", "blue", "green"], 2],
  [
    "live rechecks and failback by hand",
    { ...NGINX_POLICY, failback: "manual" },
    ["red", "blue", "green"],
    0,
  ],
  ["background checks", {}, ["red", "blue", "green"], 0],
] as const)("with %s the pools are asked in turn", (_, policy, turns, ahead) => {
  const story = new GroupStory(aGroup(THREE_POOLS, policy)).strike(0).strike(1);
  const asked = story.state.turns.map(({ name }) => name);

  expect([asked, story.state.ahead]).toEqual([turns, ahead]);
});

/** The tries left after none, one, two, three servers. */
function left(state: GroupState): readonly number[] {
  return [[], [0], [0, 2], [0, 2, 3]].map((tried) => triesLeft(state, tried));
}

test("the tries that are left are the servers not tried and not taken out, within the limit", () => {
  const pools = [aPool("blue", {}, { down: true }, {}), aPool("green", {})];
  const unlimited = new GroupStory(aGroup(pools)).strike(0).state;
  const limited = createGroup(aGroup(pools, { tries: 2 }), 0);

  expect(left(unlimited)).toEqual([3, 2, 1, 0]);
  expect(left(limited)).toEqual([2, 1, 0, 0]);
});

test("why nothing was chosen is told server by server", () => {
  const pools = [aPool("blue", {}, {}, {}, {}), aPool("green", { maxConns: 2 })];
  const story = new GroupStory(aGroup(pools))
    .apply({ type: "admin-set", server: 1, admin: "drain" })
    .apply({ type: "admin-set", server: 2, admin: "maint" })
    .strike(3, SILENT);
  const seats = seatsOf(story.state);
  seats[4]!.inFlight = 2;

  expect(whyNone(story.state, seats, [0], 0)).toBe(
    'no server of group "app" is left: blue1 was tried, blue2 is draining, blue3 is in maintenance, ' +
      "blue4 did not answer in time (1 of 1 strikes in 5 s), green1 is full (2 of 2 connections)",
  );
  expect(whyNone(createGroup(aGroup([]), 0), [], [], 0)).toBe('group "app" has no servers');
});
