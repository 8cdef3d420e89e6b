import { describe, expect, test } from "vitest";
import { createGroup, dueCheck, nextDue } from "../../../src/failover/group.ts";
import { NGINX_POLICY, type Policy } from "../../../src/failover/policy.ts";
import { probePace } from "../../../src/failover/probe.ts";
import { available } from "../../../src/failover/server.ts";
import type { ProbeRules, ServerSpec } from "../../../src/failover/spec.ts";
import {
  aGroup,
  answered,
  aPool,
  GroupStory,
  PROBED,
  REFUSED,
  SILENT,
} from "../../support/failover-groups.ts";

const GATED: ProbeRules = { ...PROBED, gate: true };

function pools(more: Partial<ServerSpec> = {}, backup = more) {
  return [aPool("blue", { probe: PROBED, ...more }), aPool("green", { probe: PROBED, ...backup })];
}

function blueGreen(more: Partial<ServerSpec> = {}, policy: Partial<Policy> = {}): GroupStory {
  return new GroupStory(aGroup(pools(more), policy));
}

function healthOf({ state }: GroupStory, server = 0) {
  const { status, reason } = state.servers[server]!.health;
  return `${status}: ${reason}`;
}

describe("probes take a server down", () => {
  test("after so many fails in a row", () => {
    const story = blueGreen({ probe: { ...PROBED, fall: 3 } });

    const seen = [1, 2, 3].map(() => healthOf(story.fail(0)));

    expect(seen).toEqual([
      "suspect: failed 1 of 3 probes: ECONNREFUSED",
      "suspect: failed 2 of 3 probes: ECONNREFUSED",
      "down: failed 3 probes in a row: ECONNREFUSED",
    ]);
    expect(story.happened).toEqual([
      "server-suspect blue1",
      "server-down blue1",
      "failover blue -> green",
    ]);
  });

  test("at the first fail where one is enough", () => {
    const story = blueGreen({ probe: { ...PROBED, fall: 1 } }).fail(0);

    expect(healthOf(story)).toBe("down: failed a probe: ECONNREFUSED");
  });

  test("but a pass between the fails begins the count anew", () => {
    const story = blueGreen().fail(0).pass(0).fail(0);

    expect(story.status(0)).toBe("suspect");
  });

  test("whose strikes never would", () => {
    const story = blueGreen({ maxFails: 0 }).fail(0, 2);

    expect(story.status(0)).toBe("down");
  });

  test("that is the only one of its group, where nobody answers", () => {
    const story = new GroupStory(aGroup([aPool("blue", { probe: PROBED })])).fail(0, 2);

    expect(story.happened).toEqual(["server-suspect blue1", "server-down blue1", "all-down"]);
  });

  test("with the reason of the first fall, whatever they find later", () => {
    const story = blueGreen().fail(0, 2).fail(0, 3, "no answer within 1000 ms");

    expect(healthOf(story)).toBe("down: failed 2 probes in a row: ECONNREFUSED");
  });
});

describe("the last server that serves", () => {
  const REASON = "GET / was answered with 503";

  test("stays where it answers, whatever it says to probes", () => {
    const story = blueGreen().fail(1, 2).from(0).fail(0, 3, REASON, false);

    expect(healthOf(story)).toBe(
      `suspect: failed 2 probes in a row: ${REASON}; serves on as the last one that answers`,
    );
    expect(story.happened).toEqual(["server-suspect blue1"]);
  });

  test("changes nothing more by failing on", () => {
    const story = blueGreen().fail(1, 2).fail(0, 2, REASON, false);
    const { state } = story;

    expect(story.fail(0, 1, REASON, false).state).toBe(state);
  });

  test("goes down where nobody answers", () => {
    const story = blueGreen().fail(1, 2).fail(0, 2);

    expect([story.status(0), story.state.allDown]).toEqual(["down", true]);
  });

  test("goes down once another one serves", () => {
    const story = blueGreen().fail(1, 2).fail(0, 2, REASON, false).pass(1, 2);

    expect(story.fail(0, 1, REASON, false).status(0)).toBe("down");
  });

  test("goes down as in nginx where the group goes by that", () => {
    const story = blueGreen({}, NGINX_POLICY).fail(1, 2).fail(0, 2, REASON, false);

    expect(story.status(0)).toBe("down");
  });

  test("is probed at once where strikes would take it down, and goes by what that finds", () => {
    const story = blueGreen().fail(1, 2).strike(0, SILENT);
    expect([story.status(0), probePace(story.server(0))]).toEqual(["suspect", 0]);
    expect(dueCheck(story.state, story.server(0))).toBeUndefined();

    story.fail(0, 1, REASON, false);

    expect(healthOf(story)).toBe(
      `down: did not answer in time (1 of 1 strikes in 5 s), then failed a probe: ${REASON}`,
    );
  });

  test("is asked also where a group goes by live traffic, and a pass clears it", () => {
    const story = blueGreen({}, { recheck: "live" }).fail(1, 2).strike(0, SILENT);
    expect(probePace(story.server(0))).toBe(0);

    story.pass(0);

    expect([healthOf(story), story.server(0).strikes]).toEqual(["up: passed a probe", []]);
  });
});

describe("a server that is down", () => {
  test("comes back by so many passes in a row, whatever took it down, and by nothing else", () => {
    const story = blueGreen().strike(0);
    expect(dueCheck(story.state, story.server(0))).toBeUndefined();
    story.from(100).pass(0).fail(0).pass(0);
    expect(story.status(0)).toBe("down");

    story.pass(0);

    expect(healthOf(story)).toBe("up: passed 2 probes in a row");
    expect(story.happened).toEqual(["server-up blue1", "failback green -> blue"]);
  });

  test("comes back by its first pass where one is enough", () => {
    const story = blueGreen({ probe: { ...PROBED, rise: 1 } })
      .pass(0, 5)
      .strike(0);

    expect(healthOf(story.pass(0))).toBe("up: passed a probe");
  });

  test("is not brought up by the passes before it went down", () => {
    const story = blueGreen().pass(0, 5).strike(0).pass(0);

    expect(story.status(0)).toBe("down");
  });

  test("is not brought up by a probe that began before it went down", () => {
    const story = blueGreen({ probe: { ...PROBED, rise: 1 } }).strike(0);

    story.apply({ type: "probe-passed", server: 0, generation: 0 });

    expect(story.status(0)).toBe("down");
  });

  test("is not taken down by a probe that began before it came up", () => {
    const story = blueGreen({ probe: { ...PROBED, fall: 1 } })
      .strike(0)
      .pass(0, 2);

    story.apply({
      type: "probe-failed",
      server: 0,
      generation: 1,
      reason: "ECONNREFUSED",
      silent: true,
    });

    expect(story.status(0)).toBe("up");
  });

  test("is never tried by a request, also where the group goes by live traffic", () => {
    const story = blueGreen({}, NGINX_POLICY).strike(0).at(60_000);
    expect(available(story.server(0), story.state.spec.policy, story.now)).toBe(false);

    story.strike(0);

    expect([story.status(0), story.server(0).strikes]).toEqual(["down", [0]]);
  });
});

describe("strikes and probes are counted apart", () => {
  test("a strike takes out at once what passes its probes", () => {
    expect(blueGreen().pass(0, 3).strike(0).status(0)).toBe("down");
  });

  test("a pass clears the suspicion, the strikes stay until their time is over", () => {
    const story = blueGreen({ maxFails: 2 }).strike(0).at(1000).pass(0);
    expect([healthOf(story), story.server(0).strikes]).toEqual(["up: passed a probe", [0]]);
    expect(nextDue(story.state)).toBe(5000);

    story.from(5000).apply({ type: "time-passed" });

    expect([story.server(0).strikes, story.happened]).toEqual([[], []]);
    expect(nextDue(story.state)).toBeUndefined();
  });

  test("a second strike within that time takes it down", () => {
    const story = blueGreen({ maxFails: 2 }).strike(0).at(1000).pass(0).at(2000).strike(0);

    expect(healthOf(story)).toBe("down: refused the connection (2 of 2 strikes in 5 s)");
  });

  test("a server whose probes fail stays suspect when its strikes are over", () => {
    const story = blueGreen({ maxFails: 2 }).strike(0).fail(0);

    story.from(5000).apply({ type: "time-passed" });

    expect([healthOf(story), story.server(0).strikes]).toEqual([
      "suspect: failed 1 of 2 probes: ECONNREFUSED",
      [],
    ]);
  });
});

describe("a server that serves only once it has passed a probe", () => {
  const gated = () => blueGreen({ probe: GATED });

  test("is starting, and nothing takes it out of that but a pass", () => {
    const story = gated();
    expect([healthOf(story), story.state.allDown]).toEqual([
      "starting: has not passed a probe yet",
      true,
    ]);

    story.strike(0).apply({ type: "check-passed", server: 0 });
    story.apply({ type: "check-failed", server: 0, reason: "no" }).fail(0, 2);

    expect(healthOf(story)).toBe("starting: has not passed a probe yet: ECONNREFUSED");
    expect([story.happened, dueCheck(story.state, story.server(0))]).toEqual([[], undefined]);
  });

  test("serves from its first pass on", () => {
    const story = gated().pass(0);

    expect(healthOf(story)).toBe("up: passed its first probe");
    expect(story.happened).toEqual(["server-up blue1", "group-recovered"]);
  });

  test("waits for one when its name has an address at last", () => {
    const story = gated().apply({ type: "resolve-failed", server: 0, reason: "not found" });
    expect(probePace(story.server(0))).toBeUndefined();
    expect(story.pass(0).fail(0).status(0)).toBe("unresolved");

    story.apply({ type: "resolved", server: 0 });

    expect([story.status(0), probePace(story.server(0))]).toEqual(["starting", 500]);
    expect(story.happened).toEqual(["server-unresolved blue1", "server-starting blue1"]);
  });

  test("waits on what is known over a reload that adds the rule", () => {
    const story = blueGreen();

    const after = createGroup(aGroup(pools({ probe: GATED })), 0, story.state);

    expect(after.servers.map(({ health }) => health.status)).toEqual(["up", "up"]);
  });

  test("serves where a reload takes the rule away", () => {
    const after = createGroup(aGroup(pools()), 0, gated().state);

    expect(after.servers[0]?.health).toMatchObject({
      status: "up",
      reason: "is not asked for a probe any more",
    });
  });
});

describe("the pace", () => {
  test("is fast while a server is not plainly up", () => {
    const story = blueGreen({ maxFails: 2 });
    const paces = [
      probePace(story.server(0)),
      probePace(story.strike(0).server(0)),
      probePace(story.strike(0).server(0)),
      probePace(story.pass(0, 2).server(0)),
    ];

    expect(paces).toEqual([2000, 500, 500, 2000]);
  });

  test("goes on while a server drains, not in maintenance nor without probes", () => {
    const story = blueGreen();
    const drains = story.apply({ type: "admin-set", server: 0, admin: "drain" }).server(0);
    const isOut = story.apply({ type: "admin-set", server: 0, admin: "maint" }).server(0);
    const plain = new GroupStory(aGroup()).server(0);

    expect([drains, isOut, plain].map((one) => probePace(one))).toEqual([
      2000,
      undefined,
      undefined,
    ]);
  });

  test("what finds the same again and again is no change", () => {
    const story = blueGreen().pass(0, 2).fail(1, 2).fail(1, 2);
    const { state } = story;

    expect(story.pass(0).fail(1).state).toBe(state);
  });

  test("what is not probed takes no result of a probe", () => {
    const story = new GroupStory(aGroup());
    const { state } = story;

    expect(story.pass(0).fail(0).state).toBe(state);
  });
});

describe("over a reload that takes the probes away", () => {
  const reloaded = (story: GroupStory, more: Partial<ServerSpec> = {}) =>
    createGroup(aGroup(pools({ probe: undefined, ...more })), story.now, story.state);

  test("a server that is down is checked as it failed", () => {
    const after = reloaded(blueGreen().fail(0, 2, "GET / was answered with 500", false));

    expect(dueCheck(after, after.servers[0]!)).toEqual({ at: 5000, kind: "request" });
  });

  test("a server that only probes doubt is up", () => {
    const [blue] = reloaded(blueGreen().fail(0)).servers;

    expect(blue?.health).toMatchObject({ status: "up", reason: "is not probed any more" });
    expect(blue?.probes).toEqual({ passes: 0, fails: 0 });
  });

  test("a server with strikes stays suspect", () => {
    const [blue] = reloaded(blueGreen({ maxFails: 2 }).strike(0), { maxFails: 2 }).servers;

    expect(blue?.health.status).toBe("suspect");
  });
});

describe("over a reload that leaves a server alone in its group", () => {
  const left = (story: GroupStory) =>
    createGroup(aGroup([aPool("blue", { probe: PROBED })]), story.now, story.state).servers[0];

  test("what its strikes took down is up", () => {
    expect(left(blueGreen().strike(0))?.health.status).toBe("up");
  });

  test("what its probes took down is for them to bring back", () => {
    expect(left(blueGreen().fail(0, 2))?.health.status).toBe("down");
  });
});

describe("a server that comes and goes", () => {
  const RULES = { changes: 3, withinMs: 10_000, holdMs: 20_000 };
  const WORDS = "held down for 20 s: it went down 2 times in 10 s";
  const flapping = () =>
    blueGreen({}, { flap: RULES }).strike(0).at(1000).pass(0, 2).at(2000).strike(0);

  test("is held down, whatever probes find, and says so", () => {
    const story = flapping();
    expect(healthOf(story)).toBe(`down: refused the connection (1 of 1 strikes in 5 s); ${WORDS}`);
    expect(story.reasons).toContain(healthOf(story).slice("down: ".length));

    story.at(21_999).pass(0, 5);

    expect(story.status(0)).toBe("down");
    expect(story.at(22_000).pass(0).status(0)).toBe("up");
  });

  test("is held down by a rule of its own for checks", () => {
    const story = new GroupStory(aGroup(undefined, { flap: RULES }));
    story.strike(0).at(1000).apply({ type: "check-passed", server: 0 }).at(2000).strike(0);

    expect(dueCheck(story.state, story.server(0))).toEqual({ at: 22_000, kind: "connect" });
  });

  test("is not held down where it fell long before", () => {
    const story = blueGreen({}, { flap: RULES }).strike(0).pass(0, 2).at(10_000).strike(0);

    expect(story.pass(0, 2).status(0)).toBe("up");
  });

  test("may come back as soon as no other serves", () => {
    const story = flapping().fail(1, 2);

    expect(story.pass(0, 2).status(0)).toBe("up");
  });

  test("may come back where an operator has had it in maintenance", () => {
    const story = flapping();
    for (const admin of ["maint", "ready"] as const) {
      story.apply({ type: "admin-set", server: 0, admin });
    }

    expect(story.pass(0, 2).status(0)).toBe("up");
  });

  test("stays held down over a reload, unless that takes the rule away", () => {
    const { state } = flapping();
    const heldIn = (changes: number) => {
      const spec = aGroup(pools(), { flap: { ...RULES, changes } });
      const health = createGroup(spec, 2000, state).servers[0]?.health;
      return health?.status === "down" ? health.heldUntil : undefined;
    };

    expect([heldIn(3), heldIn(0)]).toEqual([22_000, undefined]);
  });

  test("is left alone with the rule switched off", () => {
    const story = blueGreen({}, { flap: { ...RULES, changes: 0 } });
    for (let left = 9; left > 0; left--) story.strike(0).pass(0, 2);

    expect([story.status(0), story.server(0).falls]).toEqual(["up", []]);
  });

  test("stays held while it fails a trial in the meantime", () => {
    const policy = { recheck: "live", flap: RULES } as const;
    const story = new GroupStory(aGroup(undefined, policy)).strike(0).at(5001);
    const { generation } = story.apply({ type: "trial-started", server: 0 }).server(0);
    story.apply({ type: "attempt-succeeded", server: 0, generation }).at(6000).strike(0);

    story.at(7000).strike(0, answered(503));

    expect(story.server(0).health).toMatchObject({ checkAt: 26_000, heldUntil: 26_000 });
  });
});

test("with nothing else that serves well, those without probes are checked soon", () => {
  const spec = aGroup([aPool("blue", { probe: PROBED }), aPool("green", {})]);
  const story = new GroupStory(spec).strike(1, REFUSED);

  story.at(1000).fail(0, 2, "GET / was answered with 503", false);

  expect(dueCheck(story.state, story.server(1))?.at).toBe(1250);
});
