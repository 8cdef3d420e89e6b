import { describe, expect, test } from "vitest";
import type { GroupEvent } from "../../../src/failover/group.ts";
import { NGINX_POLICY, type Policy } from "../../../src/failover/policy.ts";
import {
  aGroup,
  aPool,
  answered,
  GroupStory,
  REFUSED,
  SILENT,
} from "../../support/failover-groups.ts";

/** Server 0 is the one looked at; 1 and 2 stand beside it. */
const STATES: Readonly<Record<string, (story: GroupStory) => GroupStory>> = {
  up: (story) => story,
  suspect: (story) => story.strike(0),
  "last standing": (story) => story.strike(1).strike(1).strike(2).strike(2).strike(0).strike(0),
  down: (story) => story.strike(0).strike(0),
  unresolved: (story) => story.apply({ type: "resolve-failed", server: 0, reason: "not found" }),
  drain: (story) => story.apply({ type: "admin-set", server: 0, admin: "drain" }),
  maint: (story) => story.apply({ type: "admin-set", server: 0, admin: "maint" }),
  "down in drain": (story) =>
    story.strike(0).strike(0).apply({ type: "admin-set", server: 0, admin: "drain" }),
  "down in maint": (story) =>
    story.strike(0).strike(0).apply({ type: "admin-set", server: 0, admin: "maint" }),
};

const EVENTS: Readonly<Record<string, (story: GroupStory) => GroupEvent>> = {
  strike: (story) => fresh(story),
  "late strike": (story) => ({ ...fresh(story), generation: -1 }),
  success: (story) => ({
    type: "attempt-succeeded",
    server: 0,
    generation: story.server(0).generation,
  }),
  trial: () => ({ type: "trial-started", server: 0 }),
  "passed check": () => ({ type: "check-passed", server: 0 }),
  "failed check": () => ({ type: "check-failed", server: 0, reason: "timed out" }),
  "failed lookup": () => ({ type: "resolve-failed", server: 0, reason: "timed out" }),
  lookup: () => ({ type: "resolved", server: 0 }),
  ready: () => ({ type: "admin-set", server: 0, admin: "ready" }),
  drain: () => ({ type: "admin-set", server: 0, admin: "drain" }),
  maint: () => ({ type: "admin-set", server: 0, admin: "maint" }),
};

function fresh(story: GroupStory) {
  const { generation } = story.server(0);
  return { type: "attempt-failed", server: 0, generation, failure: SILENT } as const;
}

/** Admin and health of server 0, and its generation. */
function told(story: GroupStory): string {
  const { admin, health, generation } = story.server(0);
  return `${admin} ${health.status} ${generation}`;
}

function tableOf(policy: Partial<Policy>): Record<string, Record<string, string>> {
  const pools = [aPool("blue", { maxFails: 2 }), aPool("green", { maxFails: 2 }, { maxFails: 2 })];
  const rows = Object.entries(STATES).map(([state, prepare]) => {
    const begin = () => prepare(new GroupStory(aGroup(pools, policy))).from(1000);
    const before = told(begin());
    const cells = Object.entries(EVENTS).flatMap(([name, event]) => {
      const story = begin();
      const after = told(story.apply(event(story)));
      const happened = story.happened.filter((one) => one.startsWith("server-")).join(", ");
      return after === before && happened === "" ? [] : [[name, `${after}; ${happened}`]];
    });
    return [`${state}: ${before}`, Object.fromEntries(cells)];
  });
  return Object.fromEntries(rows);
}

const TAKEN_OUT = { drain: "drain up 0; ", maint: "maint up 0; " };
const LOST = "unresolved 1; server-unresolved blue1";

test("each event in each state, by default: what is not listed changes nothing", () => {
  expect(tableOf({})).toEqual({
    "up: ready up 0": {
      strike: "ready suspect 0; server-suspect blue1",
      "failed lookup": `ready ${LOST}`,
      ...TAKEN_OUT,
    },
    "suspect: ready suspect 0": {
      strike: "ready down 1; server-down blue1",
      "failed lookup": `ready ${LOST}`,
      drain: "drain suspect 0; ",
      maint: "maint suspect 0; ",
    },
    "last standing: ready suspect 0": {
      "passed check": "ready up 0; server-up blue1",
      "failed check": "ready down 1; server-down blue1",
      "failed lookup": `ready ${LOST}`,
      drain: "drain suspect 0; ",
      maint: "maint suspect 0; ",
    },
    "down: ready down 1": {
      "passed check": "ready up 2; server-up blue1",
      "failed lookup": "ready unresolved 1; server-unresolved blue1",
      drain: "drain down 1; ",
      maint: "maint down 1; ",
    },
    "unresolved: ready unresolved 1": {
      "passed check": "ready up 2; server-up blue1",
      lookup: "ready up 2; server-up blue1",
      drain: "drain unresolved 1; ",
      maint: "maint unresolved 1; ",
    },
    "drain: drain up 0": {
      strike: "drain suspect 0; server-suspect blue1",
      "failed lookup": `drain ${LOST}`,
      ready: "ready up 0; ",
      maint: "maint up 0; ",
    },
    "maint: maint up 0": {
      strike: "maint suspect 0; server-suspect blue1",
      "failed lookup": `maint ${LOST}`,
      ready: "ready up 0; ",
      drain: "drain up 0; ",
    },
    "down in drain: drain down 1": {
      "passed check": "drain up 2; server-up blue1",
      "failed lookup": "drain unresolved 1; server-unresolved blue1",
      ready: "ready down 1; ",
      maint: "maint down 1; ",
    },
    "down in maint: maint down 1": {
      "passed check": "maint up 2; server-up blue1",
      "failed lookup": "maint unresolved 1; server-unresolved blue1",
      ready: "ready down 1; ",
      drain: "drain down 1; ",
    },
  });
});

function sliding(maxFails: number): GroupStory {
  return new GroupStory(aGroup([aPool("blue", { maxFails }), aPool("green", {})]));
}

describe("strikes in a sliding window", () => {
  test.each([
    ["three within the window", [0, 2000, 4999], "down"],
    ["the first just out of the window", [0, 2000, 5000], "suspect"],
    ["pairs far apart", [0, 1, 900_000, 900_001], "suspect"],
    ["a slow trickle that never fills the window", [0, 3000, 6000, 9000, 12_000], "suspect"],
    ["a burst after a long gap", [0, 900_000, 900_001, 900_002], "down"],
    ["fractions of a millisecond", [0.1, 0.2, 5000.05], "down"],
  ] as const)("%s", (_, times, status) => {
    const told = sliding(3);
    for (const time of times) told.at(time).strike(0);

    expect(told.status(0)).toBe(status);
  });

  test("a suspect server is up again once its last strike has left the window", () => {
    const told = sliding(3).strike(0).at(2000).strike(0);

    told.from(6999).apply({ type: "time-passed" });
    expect([told.status(0), told.happened]).toEqual(["suspect", []]);
    told.from(7000).apply({ type: "time-passed" });
    expect([told.status(0), told.happened, told.reasons]).toEqual([
      "up",
      ["server-up blue1"],
      ["had no strike for 5 s"],
    ]);
  });

  test("a server with max_fails 0 is never struck", () => {
    const before = sliding(0);
    const { state } = before;

    expect(before.strike(0).strike(0).state).toBe(state);
  });

  test("the reason counts", () => {
    const told = sliding(3).strike(0).at(10).strike(0, SILENT).at(20).strike(0, answered(503));

    expect(told.reasons).toEqual([
      "refused the connection (1 of 3 strikes in 5 s)",
      "answered 503 (3 of 3 strikes in 5 s)",
      "no server of blue serves: blue1 answered 503 (3 of 3 strikes in 5 s)",
    ]);
    expect(told.server(0).health).toMatchObject({ status: "down", since: 20, failedIn: "answer" });
  });
});

function quiet(maxFails: number, policy: Partial<Policy> = {}): GroupStory {
  const pools = [aPool("blue", { maxFails, failTimeoutMs: 2000 }), aPool("green", {})];
  return new GroupStory(aGroup(pools, { ...NGINX_POLICY, ...policy }));
}

/** A request to blue1 that is served: it opens a slot where one is due, and succeeds. */
function serve(told: GroupStory): GroupStory {
  return told.apply(
    { type: "trial-started", server: 0 },
    { type: "attempt-succeeded", server: 0, generation: 0 },
  );
}

describe("strikes by nginx's quiet period (F-1 to F-7)", () => {
  test("successes between failures do not forgive them, nor does a gap without traffic", () => {
    const between = quiet(3).strike(0);
    serve(between.at(700)).at(1500).strike(0);
    serve(between.at(2200)).at(3000).strike(0);
    const apart = quiet(3).strike(0).at(9000).strike(0).at(18_000).strike(0);

    expect([between.status(0), apart.status(0)]).toEqual(["down", "down"]);
  });

  test("a success that began after a quiet period forgives", () => {
    const told = quiet(3).strike(0).strike(0);
    serve(told.at(2000));
    expect(told.server(0).strikes).toEqual([0, 0]);
    serve(told.at(2001)).strike(0);

    expect([told.status(0), told.server(0).strikes]).toEqual(["suspect", [2001]]);
  });

  test("one failed trial takes the server out again, a good one brings all traffic back", () => {
    const told = quiet(3).strike(0).strike(0).strike(0);
    told.at(2001).apply({ type: "trial-started", server: 0 }).strike(0);
    expect(told.server(0).health).toEqual({
      status: "down",
      since: 0,
      reason: "refused the connection (3 of 3 strikes without 2 s of quiet)",
      failedIn: "connect",
      checkAt: 4001,
      checks: 0,
    });

    serve(told.from(4002));
    expect(told.happened).toEqual(["server-up blue1", "failback green -> blue"]);
  });

  test("a late success does not clear a newer failure, a late failure takes a recovered server out", () => {
    const told = quiet(1).strike(0);
    told.apply({ type: "attempt-succeeded", server: 0, generation: 0 });
    expect(told.status(0)).toBe("down");

    serve(told.at(2001));
    expect(told.status(0)).toBe("up");
    told.apply({ type: "attempt-failed", server: 0, generation: 0, failure: REFUSED });
    expect(told.status(0)).toBe("down");
  });

  test("without live traffic as the judge the strikes of a suspect server stay", () => {
    const told = quiet(3, { recheck: "auto" }).strike(0).at(90_000).apply({ type: "time-passed" });

    expect(told.status(0)).toBe("suspect");
  });

  test("strikes of a server that is down mean nothing where a check decides", () => {
    const told = quiet(1, { recheck: "auto" }).strike(0);
    const { state } = told;

    expect(told.at(500).strike(0).state).toBe(state);
  });

  test("a server without an address is not struck by what began before", () => {
    const told = quiet(1).apply({ type: "resolve-failed", server: 0, reason: "not found" });
    const { state } = told;

    expect(told.strike(0).state).toBe(state);
  });
});

function fallenLive(): GroupStory {
  return new GroupStory(aGroup(undefined, { recheck: "live" })).strike(0);
}

describe("with live rechecks and late failures ignored", () => {
  test("a success of an attempt from before the fall brings nothing back", () => {
    const told = fallenLive().at(5001).apply({ type: "trial-started", server: 0 });

    told.apply({ type: "attempt-succeeded", server: 0, generation: 0 });
    expect(told.status(0)).toBe("down");
    told.apply({ type: "attempt-succeeded", server: 0, generation: 1 });
    expect(told.status(0)).toBe("up");
  });

  test("the last one standing is suspect and stays; time clears it", () => {
    const told = fallenLive().strike(1, SILENT).strike(1, SILENT);
    expect(told.server(1).health).toMatchObject({ status: "suspect", checkAt: undefined });

    told.from(5000).apply({ type: "time-passed" });
    expect(told.happened).toEqual(["server-up green1"]);
  });
});
