import * as fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { describe, test } from "vitest";
import { chooseServer } from "../../../src/failover/choose.ts";
import {
  createGroup,
  dueCheck,
  type GroupEvent,
  nextDue,
  step,
  wantsSuccess,
} from "../../../src/failover/group.ts";
import { factsOf, type GroupFacts, withFacts } from "../../../src/failover/group-facts.ts";
import type { GroupState } from "../../../src/failover/group-state.ts";
import { DEFAULT_POLICY, NGINX_POLICY, type Policy } from "../../../src/failover/policy.ts";
import { probePace } from "../../../src/failover/probe.ts";
import { available, isServing } from "../../../src/failover/server.ts";
import {
  aGroup,
  answered,
  aPool,
  GroupStory,
  PROBED,
  REFUSED,
  seatsOf,
  SILENT,
} from "../../support/failover-groups.ts";

const POOLS = [
  aPool("blue", { maxFails: 2 }, {}),
  aPool("green", { probe: { ...PROBED, rise: 1, fall: 3, gate: true } }),
  aPool("red", { maxFails: 3, probe: PROBED }),
];
const SERVERS = 4;

const changes: fc.Arbitrary<Partial<Policy>> = fc.record(
  {
    recheck: fc.constantFrom("auto", "connect", "live"),
    failback: fc.constantFrom("auto", "manual", "never"),
    strikes: fc.constantFrom("sliding", "quiet_period"),
    keepLastStanding: fc.boolean(),
    ignoreLateFailures: fc.boolean(),
    holdDownMs: fc.constantFrom(0, 3000),
    flap: fc.constantFrom(
      { changes: 0, withinMs: 9000, holdMs: 5000 },
      { changes: 1, withinMs: 9000, holdMs: 5000 },
    ),
  },
  { requiredKeys: [] },
);
const bases = fc.constantFrom(DEFAULT_POLICY, NGINX_POLICY);

const server = fc.nat(SERVERS - 1);
const generation = fc.nat(3);
const events: fc.Arbitrary<GroupEvent> = fc.oneof(
  fc.record({
    type: fc.constant("attempt-failed" as const),
    server,
    generation,
    failure: fc.constantFrom(REFUSED, SILENT, answered(503)),
  }),
  fc.record({ type: fc.constant("attempt-succeeded" as const), server, generation }),
  fc.record({ type: fc.constant("trial-started" as const), server }),
  fc.record({ type: fc.constant("check-passed" as const), server }),
  fc.record({ type: fc.constant("probe-passed" as const), server, generation }),
  fc.record({
    type: fc.constant("probe-failed" as const),
    server,
    generation,
    reason: fc.constant("no"),
    silent: fc.boolean(),
  }),
  fc.record({ type: fc.constant("check-failed" as const), server, reason: fc.constant("no") }),
  fc.record({ type: fc.constant("resolve-failed" as const), server, reason: fc.constant("no") }),
  fc.record({ type: fc.constant("resolved" as const), server }),
  fc.record({ type: fc.constant("time-passed" as const) }),
);
const orders: fc.Arbitrary<GroupEvent> = fc.oneof(
  fc.record({
    type: fc.constant("admin-set" as const),
    server,
    admin: fc.constantFrom("ready" as const, "drain" as const, "maint" as const),
  }),
  fc.record({
    type: fc.constant("switched" as const),
    to: fc.constantFrom("blue", "green", "red"),
  }),
);
const timed = (event: fc.Arbitrary<GroupEvent>) =>
  fc.array(fc.tuple(event, fc.constantFrom(0, 1, 250, 2000, 5001, 900_000)), { maxLength: 40 });

/** Runs a story of random events and looks after each one. */
function always(
  event: fc.Arbitrary<GroupEvent>,
  holds: (before: GroupState, story: GroupStory, event: GroupEvent) => boolean,
): void {
  fc.assert(
    fc.property(bases, changes, timed(event), (base, more, steps) => {
      const story = new GroupStory(aGroup(POOLS, { ...base, ...more }));
      return steps.every(([event, pause]) => {
        const before = story.state;
        return holds(before, story.from(story.now + pause).apply(event), event);
      });
    }),
  );
}

const anything = fc.oneof({ weight: 4, arbitrary: events }, { weight: 1, arbitrary: orders });

/** The names of pools and servers that drain. */
function drainsOf({ pools, servers }: GroupState): ReadonlySet<string> {
  const named = [
    ...pools.map(({ name, drainUntil }) => ({ name, drainUntil })),
    ...servers.map(({ spec, drainUntil }) => ({ name: spec.address, drainUntil })),
  ];
  return new Set(named.flatMap(({ name, drainUntil }) => (drainUntil === undefined ? [] : [name])));
}

function serves(status: string | undefined): boolean {
  return status === "up" || status === "suspect";
}

describe("in whatever order things happen,", () => {
  test("nothing but the operator changes what the operator set", () => {
    always(anything, (before, { state }, event) => {
      if (event.type === "admin-set") return true;
      return state.servers.every(({ admin, index }) => admin === before.servers[index]?.admin);
    });
  });

  test("a server that is not ready gets no request", () => {
    always(anything, (_, { state, now }) => {
      const pick = chooseServer(state, seatsOf(state), [], "", now);
      return pick === undefined || pick.server.admin === "ready";
    });
  });

  test("an exchange meets every available server once and no other", () => {
    always(anything, (_, { state, now }) => {
      const seats = seatsOf(state);
      const tried: number[] = [];
      let pick = chooseServer(state, seats, tried, "", now);
      while (pick !== undefined && tried.length <= SERVERS) {
        tried.push(pick.server.index);
        pick = chooseServer(state, seats, tried, "", now);
      }
      const expected = state.servers.filter((one) => available(one, state.spec.policy, now));
      return tried.toSorted((a, b) => a - b).join() === expected.map(({ index }) => index).join();
    });
  });

  test("the active pool serves while any pool does", () => {
    always(anything, (_, { state }) => {
      const active = state.pools.find(({ name }) => name === state.active);
      return state.allDown || active?.servingSince !== undefined;
    });
  });

  test("the generation counts exactly the changes between serving and not", () => {
    always(anything, (before, { state }) =>
      state.servers.every(({ health, generation, index }) => {
        const was = before.servers[index];
        const changed = serves(was?.health.status) !== serves(health.status);
        return generation === (was?.generation ?? 0) + (changed ? 1 : 0);
      }),
    );
  });

  test("each change of a server's health, of the active pool and of the whole is one event", () => {
    always(anything, (before, { state, happened }) => {
      const servers = state.servers.filter(
        ({ health, index }) => health.status !== before.servers[index]?.health.status,
      );
      const count = (...types: string[]) =>
        happened.filter((one) => types.some((type) => one.startsWith(type))).length;
      const moves = count("failover", "failback", "switched");
      return (
        count("server-") === servers.length &&
        count("all-down", "group-recovered") === Number(state.allDown !== before.allDown) &&
        (state.active === before.active || moves > 0)
      );
    });
  });

  test("no server has more strikes than it may, and none where it is up by its requests alone", () => {
    always(anything, (_, { state }) =>
      state.servers.every(({ strikes, spec, health }) => {
        const isClear = health.status === "up" && spec.probe === undefined;
        return strikes.length <= (isClear ? 0 : spec.maxFails);
      }),
    );
  });

  test("the last one standing is not taken out by strikes where it is kept", () => {
    always(events, (before, { state }, event) => {
      if (event.type !== "attempt-failed" || !state.spec.policy.keepLastStanding) return true;
      return before.allDown || !state.allDown;
    });
  });

  test("a server that is out has a way back: a check, a probe, or a trial", () => {
    always(anything, (_, { state, now }) =>
      state.servers.every((one) => {
        if (isServing(one) || one.admin !== "ready") return true;
        const later = now + 10 * one.spec.failTimeoutMs;
        if (dueCheck(state, one) !== undefined || probePace(one) !== undefined) return true;
        return available(one, state.spec.policy, later);
      }),
    );
  });

  test("a stray success changes nothing", () => {
    always(anything, (before, { state }, event) => {
      if (event.type !== "attempt-succeeded") return true;
      const server = before.servers[event.server];
      const wanted = server !== undefined && wantsSuccess(server, state.spec.policy);
      return wanted || state === before;
    });
  });

  test("only an order of the operator makes a pool or a server drain", () => {
    always(anything, (before, { state }, event) => {
      const began = [...drainsOf(state)].filter((name) => !drainsOf(before).has(name));
      if (event.type === "switched") return began.every((name) => name === before.active);
      return began.length === 0 || event.type === "admin-set";
    });
  });

  test("neither the active pool nor a server that is ready drains", () => {
    always(anything, (_, { state }) => {
      const ready = state.servers.filter(({ admin }) => admin === "ready");
      return ![state.active, ...ready.map(({ spec }) => spec.address)].some((name) =>
        drainsOf(state).has(name),
      );
    });
  });

  test("a drain ends at its time, and each end by time alone is one event", () => {
    always(anything, (before, { state, now, happened }, event) => {
      if (event.type !== "time-passed") return true;
      const ended = [...drainsOf(before)].filter((name) => !drainsOf(state).has(name));
      const told = happened.filter((one) => one.startsWith("drained"));
      const left = [...state.pools, ...state.servers].map(({ drainUntil }) => drainUntil);
      return (
        told.join() === ended.map((name) => `drained ${name}`).join() &&
        left.every((until) => until === undefined || until > now)
      );
    });
  });

  test("a state is the same again from its facts, also where they were copied or are JSON", () => {
    always(anything, (_, { state }) => {
      const facts = factsOf(state);
      const read: GroupFacts = JSON.parse(JSON.stringify(facts));
      return [facts, structuredClone(facts), read].every((told) =>
        isDeepStrictEqual(withFacts(state.spec, told), state),
      );
    });
  });

  test("a reload that changes nothing leaves everything as it is but what time alone has changed", () => {
    always(anything, (_, { state, now }) => {
      const later = step(state, { type: "time-passed" }, now).state;
      return isDeepStrictEqual(createGroup(state.spec, now, later), later);
    });
  });

  test("what is due is done once the time has come", () => {
    always(anything, (_, story) => {
      const due = nextDue(story.state);
      if (due === undefined) return true;
      story.at(Math.max(due, story.now)).apply({ type: "time-passed" });
      const next = nextDue(story.state);
      return next === undefined || next > due || next > story.now;
    });
  });
});
