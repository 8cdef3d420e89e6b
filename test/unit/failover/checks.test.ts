import { expect, test } from "vitest";
import type { Failure } from "../../../src/failover/failure.ts";
import { dueCheck, type GroupEvent, nextDue } from "../../../src/failover/group.ts";
import { NGINX_POLICY, type Policy } from "../../../src/failover/policy.ts";
import { pauseAfter } from "../../../src/failover/recheck.ts";
import {
  aGroup,
  answered,
  aPool,
  CLOSED,
  GroupStory,
  REFUSED,
  SILENT,
} from "../../support/failover-groups.ts";

const FAILED: GroupEvent = { type: "check-failed", server: 0, reason: "timed out" };
const UNRESOLVED: GroupEvent = { type: "resolve-failed", server: 0, reason: "not found" };
const MALFORMED: Failure = { ...SILENT, cause: "malformed" };

function due(story: GroupStory, server = 0) {
  return dueCheck(story.state, story.server(server));
}

function blueGreen(policy: Partial<Policy> = {}): GroupStory {
  return new GroupStory(aGroup(undefined, policy));
}

test.each<readonly [string, Failure, Policy["recheck"], string]>([
  ["a refused connection", REFUSED, "auto", "connect"],
  ["a connect timeout", { ...REFUSED, cause: "timeout" }, "auto", "connect"],
  ["a name not found", { ...REFUSED, phase: "resolve" }, "auto", "connect"],
  ["a TLS error", { ...REFUSED, phase: "tls", cause: "malformed" }, "auto", "request"],
  ["silence", SILENT, "auto", "request"],
  ["a close", CLOSED, "auto", "request"],
  ["a listed status", answered(503), "auto", "request"],
  ["a malformed head", MALFORMED, "auto", "request"],
  ["silence", SILENT, "connect", "connect"],
])("after %s (%o) the check by recheck: %s is a %s", (_, failure, recheck, kind) => {
  const story = blueGreen({ recheck }).strike(0, failure);

  expect(due(story)).toEqual({ at: 5000, kind });
});

test("with live rechecks nobody is asked but the resolver", () => {
  const story = blueGreen(NGINX_POLICY).strike(0);

  expect(due(story)).toBeUndefined();
  expect(due(story.apply(UNRESOLVED))).toEqual({ at: 2000, kind: "resolve" });
});

test("a server that is up, or suspect beside others, is not checked", () => {
  const story = new GroupStory(aGroup([aPool("blue", { maxFails: 2 }, {})])).strike(0);

  expect([due(story, 0), due(story, 1)]).toEqual([undefined, undefined]);
});

test("the first check comes after fail_timeout, the next with growing pauses", () => {
  const story = blueGreen().strike(0);
  const dueAts = [5000, 15_000, 35_000, 65_000, 95_000];

  for (const at of dueAts) {
    expect(due(story)?.at).toBe(at);
    story.at(at).apply(FAILED);
  }
  expect(story.server(0).health).toMatchObject({ status: "down", since: 0, checks: 5 });
});

test.each([
  [0, 100, 100],
  [1, 100, 250],
  [3, 100, 800],
  [9, 100, 1000],
  [2, 5000, 20_000],
  [9, 5000, 30_000],
  [9, 60_000, 60_000],
  [0, 0, 0],
  [9, 0, 250],
])(
  "after %i failed checks of a server with fail_timeout %i ms the pause is %i ms",
  (checks, failTimeoutMs, pause) => {
    expect(pauseAfter(checks, failTimeoutMs)).toBe(pause);
  },
);

test("the last one standing is checked at once, and goes down only when that fails", () => {
  const story = blueGreen().strike(0).from(100).strike(1, SILENT);
  expect([story.status(1), due(story, 1)]).toEqual(["suspect", { at: 100, kind: "request" }]);

  expect(nextDue(story.state)).toBeUndefined();

  story.at(150).strike(1, SILENT);
  expect(due(story, 1)?.at).toBe(100);

  story.from(200).apply({ ...FAILED, server: 1 });
  expect([story.happened, story.reasons]).toEqual([
    ["server-down green1", "all-down"],
    [
      "did not answer in time (1 of 1 strikes in 5 s), then failed a check: timed out",
      "blue1 refused the connection (1 of 1 strikes in 5 s), green1 did not answer in time " +
        "(1 of 1 strikes in 5 s), then failed a check: timed out",
    ],
  ]);
});

test("the last one standing that passes its check has a clean slate", () => {
  const story = blueGreen()
    .strike(0)
    .strike(1)
    .from(100)
    .apply({ type: "check-passed", server: 1 });

  expect([story.happened, story.server(1).strikes]).toEqual([["server-up green1"], []]);
});

test("the last one standing that answers a listed status keeps giving its own answers", () => {
  const story = blueGreen().strike(0).from(0).strike(1, answered(503)).strike(1, answered(503));
  expect([story.happened, due(story, 1)]).toEqual([["server-suspect green1"], undefined]);

  story.apply({ ...FAILED, server: 1 });
  expect(story.status(1)).toBe("suspect");
});

test("with another server back, strikes take the last one standing out after all", () => {
  const story = blueGreen().strike(0).strike(1).apply({ type: "check-passed", server: 0 });

  expect(story.strike(1).status(1)).toBe("down");
});

test("nginx takes the last one standing out like any other", () => {
  const story = blueGreen(NGINX_POLICY).strike(0).from(0).strike(1);

  expect(story.happened).toEqual(["server-down green1", "all-down"]);
});

test.each([{}, NGINX_POLICY])(
  "a single server is never taken out, whatever the policy",
  (policy) => {
    const story = new GroupStory(aGroup([aPool("blue", {})], policy));
    story.strike(0).strike(0, SILENT).strike(0, answered(503)).apply(FAILED);

    expect([story.happened, story.status(0), due(story)]).toEqual([
      ["server-suspect blue1"],
      "suspect",
      undefined,
    ]);
  },
);

test("while all are down each server is checked four times a second", () => {
  const story = blueGreen()
    .strike(0)
    .strike(1)
    .apply({ ...FAILED, server: 1 })
    .at(1000);
  const dueAts = () => [due(story, 0)?.at, due(story, 1)?.at];
  expect(dueAts()).toEqual([250, 250]);

  story.apply(FAILED, { ...FAILED, server: 1 });
  expect(dueAts()).toEqual([1250, 1250]);

  story.at(1250).apply({ type: "check-passed", server: 1 }).apply(FAILED);
  expect(dueAts()).toEqual([11_250, undefined]);
});

test("a server that is out is asked soon while the last one that stands fails as well", () => {
  const story = blueGreen().strike(0).at(5000).apply(FAILED);
  expect(due(story)?.at).toBe(15_000);

  story.at(6000).strike(1, answered(503));

  expect(story.status(1)).toBe("suspect");
  expect(due(story)).toEqual({ at: 6250, kind: "connect" });
});

test("a server that is out is not hurried while another one is merely suspect", () => {
  const story = new GroupStory(aGroup([aPool("blue", {}), aPool("green", { maxFails: 2 })]));

  story.strike(0).at(1000).strike(1);

  expect([story.status(1), due(story)?.at]).toEqual(["suspect", 5000]);
});

test("while all are without an address names are looked up four times a second", () => {
  const story = blueGreen().apply(UNRESOLVED);
  expect(due(story)?.at).toBe(2000);

  story.apply({ ...UNRESOLVED, server: 1 });
  expect(due(story)).toEqual({ at: 250, kind: "resolve" });
});

test("with live rechecks being all down shortens no fail_timeout", () => {
  const story = blueGreen(NGINX_POLICY).strike(0).strike(1);

  expect(story.server(0).health).toMatchObject({ status: "down", checkAt: 5000 });
});

test("a failed check of a server without an address is another failed lookup", () => {
  const story = blueGreen().apply(UNRESOLVED).at(2000).apply(FAILED);

  expect(story.server(0).health).toEqual({
    status: "unresolved",
    since: 0,
    reason: "has a name without an address: timed out",
    checkAt: 4000,
  });
});

test("a server in maintenance is not checked, and at once when it is ready again", () => {
  const story = blueGreen().strike(0).apply({ type: "admin-set", server: 0, admin: "drain" });
  expect(due(story)?.at).toBe(5000);

  story.apply({ type: "admin-set", server: 0, admin: "maint" });
  expect(due(story)).toBeUndefined();

  story.at(700).apply({ type: "admin-set", server: 0, admin: "ready" });
  expect(due(story)).toEqual({ at: 700, kind: "connect" });

  story.apply(UNRESOLVED, { type: "admin-set", server: 0, admin: "maint" }).at(900);
  expect(due(story.apply({ type: "admin-set", server: 0, admin: "ready" }))?.at).toBe(900);
});
