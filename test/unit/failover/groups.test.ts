import { describe, expect, test } from "vitest";
import { createGroup } from "../../../src/failover/group.ts";
import type { GroupSpec } from "../../../src/failover/spec.ts";
import { type GroupChange, Groups } from "../../../src/failover/groups.ts";
import type { Policy } from "../../../src/failover/policy.ts";
import { aGroup, aPool, BLUE_GREEN, GroupStory, struck } from "../../support/failover-groups.ts";

/** Groups at a time that stands still, with one group loaded. */
function loaded(spec: GroupSpec = aGroup()): { groups: Groups; changes: GroupChange[] } {
  const groups = new Groups(() => 1000);
  const changes: GroupChange[] = [];
  groups.load([spec]);
  groups.subscribe((change) => changes.push(change));
  return { groups, changes };
}

function told({ group, happened }: GroupChange): string {
  return [group, ...happened.map(({ type }) => type)].join(" ");
}

test("an event replaces the group's snapshot and is told with both and what happened", () => {
  const { groups, changes } = loaded();
  const before = groups.get("app");

  groups.apply("app", struck(before, 0));

  const after = groups.get("app");
  expect([before.active, after.active]).toEqual(["blue", "green"]);
  expect(changes.map(told)).toEqual(["app server-down failover"]);
  expect(changes[0]?.before).toBe(before);
  expect(changes[0]?.after).toBe(after);
  expect([...groups]).toEqual([after]);
});

test("what changes nothing is not told", () => {
  const { groups, changes } = loaded();

  groups.apply("app", { type: "check-passed", server: 0 });
  groups.apply("app", { type: "time-passed" });

  expect(changes).toEqual([]);
});

test("who ended a subscription hears nothing more", () => {
  const { groups } = loaded();
  const heard: string[] = [];
  const end = groups.subscribe((change) => heard.push(told(change)));

  groups.apply("app", struck(groups.get("app"), 0));
  end();
  groups.apply("app", { type: "check-passed", server: 0 });

  expect(heard).toEqual(["app server-down failover"]);
});

test("changes made by a listener are told to all in one order", () => {
  const groups = new Groups(() => 0);
  groups.load([aGroup()]);
  const heard: string[] = [];
  groups.subscribe(({ after }) => {
    if (after.active === "green") groups.apply("app", { type: "check-passed", server: 0 });
  });
  groups.subscribe((change) => heard.push(told(change)));

  groups.apply("app", struck(groups.get("app"), 0));

  expect(heard).toEqual(["app server-down failover", "app server-up failback"]);
});

test("a listener that throws does not silence the changes after", () => {
  const { groups, changes } = loaded();
  const end = groups.subscribe(() => {
    throw new Error("broken listener");
  });
  expect(() => groups.apply("app", struck(groups.get("app"), 0))).toThrow("broken listener");
  end();

  groups.apply("app", { type: "check-passed", server: 0 });

  expect(changes.map(told)).toEqual(["app server-down failover", "app server-up failback"]);
});

test("an unknown group is a bug for who reads it, and nothing to who reports of the past", () => {
  const { groups, changes } = loaded();

  expect(() => groups.get("shop")).toThrow('no group "shop"');
  groups.apply("shop", { type: "time-passed" });
  expect(changes).toEqual([]);
});

test("a reload keeps health, strikes, admin and the switched primary by the servers' keys", () => {
  const { groups, changes } = loaded(
    aGroup([aPool("blue", { maxFails: 2 }), ...BLUE_GREEN.slice(1)]),
  );
  groups.apply("app", struck(groups.get("app"), 0));
  groups.apply("app", { type: "admin-set", server: 0, admin: "drain" });
  groups.apply("app", { type: "switched", to: "green" });
  const [blue, green] = groups.get("app").servers;
  changes.length = 0;

  groups.load([
    aGroup(
      [aPool("red", {}), aPool("blue", { maxFails: 2 }), aPool("green", {})],
      {},
      { primary: "blue" },
    ),
  ]);

  const { servers, primary, active } = groups.get("app");
  expect([primary, active]).toEqual(["green", "green"]);
  expect(servers.slice(1)).toEqual([
    { ...blue, index: 1 },
    { ...green, index: 2 },
  ]);
  expect(changes.map(told)).toEqual(["app"]);
});

test("a reload that names another primary, or takes the active pool away, switches", () => {
  const edited = loaded();
  edited.groups.load([aGroup(BLUE_GREEN.toReversed())]);
  const removed = loaded();
  removed.groups.apply("app", { type: "switched", to: "green" });
  removed.groups.load([aGroup(BLUE_GREEN.slice(0, 1))]);

  expect(edited.changes.map(told)).toEqual(["app switched"]);
  expect(removed.changes.map(told)).toEqual(["app switched", "app switched"]);
  expect(removed.groups.get("app").primary).toBe("blue");
});

test("groups come and go with a reload", () => {
  const { groups, changes } = loaded();

  groups.load([aGroup([], {}, { name: "shop" })]);

  expect([...groups].map(({ spec }) => spec.name)).toEqual(["shop"]);
  expect(changes.map(told)).toEqual(["shop"]);
});

test.each([
  ["in", false, true, "maint"],
  ["out", true, false, "ready"],
  ["in as before", false, false, "drain"],
])(
  "an edited `down` (%s) beats the operator's word, an unedited one does not",
  (_, was, is, admin) => {
    const { groups } = loaded(aGroup([aPool("blue", { down: was }, {})]));
    groups.apply("app", { type: "admin-set", server: 0, admin: "drain" });

    groups.load([aGroup([aPool("blue", { down: is }, {})])]);

    expect(groups.get("app").servers[0]?.admin).toBe(admin);
  },
);

test.each([
  ["the only one left", [aPool("blue", {})], "up"],
  ["one with max_fails 0", [aPool("blue", { maxFails: 0 }), aPool("green", {})], "up"],
  ["still one of two", BLUE_GREEN, "down"],
] as const)("a server that is down and %s after a reload is %s", (_, pools, status) => {
  const { groups } = loaded();
  groups.apply("app", struck(groups.get("app"), 0));

  groups.load([aGroup(pools)]);

  expect(groups.get("app").servers[0]?.health.status).toBe(status);
});

test("a suspect server that becomes the only one is clean, one without an address stays so", () => {
  const { groups } = loaded();
  groups.apply("app", struck(groups.get("app"), 0));
  groups.apply("app", struck(groups.get("app"), 1));
  groups.load([aGroup(BLUE_GREEN.slice(1))]);
  const clean = groups.get("app").servers[0]?.health;
  groups.apply("app", { type: "resolve-failed", server: 0, reason: "not found" });
  groups.load([aGroup(BLUE_GREEN.slice(1))]);

  expect(clean).toEqual({ status: "up", since: 1000, reason: "is never taken out" });
  expect(groups.get("app").servers[0]?.health.status).toBe("unresolved");
});

test("the last one standing is left to time where a reload ends the checks", () => {
  const live: Partial<Policy> = { recheck: "live" };
  let now = 0;
  const groups = new Groups(() => now);
  groups.load([aGroup()]);
  groups.apply("app", struck(groups.get("app"), 0));
  groups.apply("app", struck(groups.get("app"), 1));

  groups.load([aGroup(BLUE_GREEN, live)]);
  now = 5000;
  groups.apply("app", { type: "time-passed" });

  expect(groups.get("app").servers[1]?.health.status).toBe("up");
});

test("a trial that a reload left over proves nothing where checks decide", () => {
  let now = 0;
  const groups = new Groups(() => now);
  groups.load([aGroup(BLUE_GREEN, { recheck: "live" })]);
  groups.apply("app", struck(groups.get("app"), 0));
  now = 6000;
  groups.apply("app", { type: "trial-started", server: 0 });

  groups.load([aGroup()]);
  groups.apply("app", { type: "attempt-succeeded", server: 0, generation: 1 });

  expect(groups.get("app").servers[0]?.health.status).toBe("down");
});

test("an event read from an old snapshot finds its server, or nobody, after a reload", () => {
  const { groups } = loaded();
  const old = groups.get("app");
  groups.load([aGroup([aPool("red", {}), aPool("blue", {})], {}, { primary: "blue" })]);
  const statuses = () =>
    groups.get("app").servers.map(({ spec, health }) => `${spec.address} ${health.status}`);

  groups.apply("app", struck(old, 1), old);
  groups.apply("app", { type: "check-failed", server: 9, reason: "" }, old);
  expect(statuses()).toEqual(["red1 up", "blue1 up"]);

  groups.apply("app", struck(old, 0), old);
  groups.apply("app", { type: "time-passed" }, old);
  groups.apply("app", { type: "switched", to: "red" }, old);
  expect(statuses()).toEqual(["red1 up", "blue1 down"]);
  expect(groups.get("app").active).toBe("red");
});

test("a group whose spec is the very same is left alone by a reload, whatever it says of others", () => {
  const spec = aGroup();
  const { groups, changes } = loaded(spec);
  groups.apply("app", struck(groups.get("app"), 0));
  const before = groups.get("app");
  changes.length = 0;

  groups.load([spec, aGroup([], {}, { name: "shop" })]);

  expect(groups.get("app")).toBe(before);
  expect(changes.map(told)).toEqual(["shop"]);
});

test("what a reload changes by itself is told", () => {
  const { groups, changes } = loaded();
  groups.apply("app", struck(groups.get("app"), 0));
  groups.apply("app", struck(groups.get("app"), 1));
  groups.apply("app", { type: "check-failed", server: 1, reason: "no" });
  changes.length = 0;

  groups.load([aGroup([aPool("red", {}), ...BLUE_GREEN])]);
  groups.load([aGroup([aPool("green", { maxFails: 0 }), ...BLUE_GREEN.slice(0, 1)])]);

  expect(changes.map(told)).toEqual(["app group-recovered switched", "app server-up switched"]);
});

test("a lower max_fails forgets the oldest strikes, a shorter fail_timeout hurries the check", () => {
  let now = 0;
  const groups = new Groups(() => now);
  const withBlue = (more: object) =>
    aGroup([aPool("blue", { maxFails: 3, ...more }), aPool("green", {})]);
  groups.load([withBlue({})]);
  groups.apply("app", struck(groups.get("app"), 1));
  for (now of [1, 2]) groups.apply("app", struck(groups.get("app"), 0));

  groups.load([withBlue({ maxFails: 1 })]);
  const { strikes } = groups.get("app").servers[0] ?? {};
  groups.load([aGroup([aPool("blue", {}), aPool("green", { failTimeoutMs: 100 })])]);
  const sooner = groups.get("app").servers[1]?.health;
  groups.load([aGroup([aPool("blue", {}), aPool("green", { failTimeoutMs: 60_000 })])]);

  expect(strikes).toEqual([2]);
  expect(sooner).toMatchObject({ status: "down", checkAt: 102 });
  expect(groups.get("app").servers[1]?.health).toEqual(sooner);
});

describe("states that somebody else made", () => {
  test("replace those that are loaded, all before any is told, and nothing has happened", () => {
    const { groups, changes } = loaded();
    groups.load([groups.get("app").spec, aGroup([], {}, { name: "shop" })]);
    const [before, shopBefore] = [groups.get("app"), groups.get("shop")];
    const struckBlue = new GroupStory(before.spec).strike(0).state;
    const shop = createGroup(groups.get("shop").spec, 9);
    const gone = createGroup(aGroup([], {}, { name: "gone" }), 0);
    const seen: string[] = [];
    groups.subscribe(() => seen.push(groups.get("shop") === shop ? "new" : "old"));
    changes.length = 0;

    groups.adopt([struckBlue, gone, shop]);

    expect(changes).toEqual([
      { group: "app", before, after: struckBlue, happened: [] },
      { group: "shop", before: shopBefore, after: shop, happened: [] },
    ]);
    expect(seen).toEqual(["new", "new"]);
    expect([groups.get("app"), groups.find("gone")]).toEqual([struckBlue, undefined]);
  });

  test("are not told where they are there already", () => {
    const { groups, changes } = loaded();

    groups.adopt([groups.get("app")]);

    expect(changes).toEqual([]);
  });
});

describe("an event that another process tells of", () => {
  test("finds its server by key", () => {
    const groups = new Groups(() => 0);
    groups.load([aGroup()]);

    groups.applyTo("app", "green green1", { type: "admin-set", server: 0, admin: "drain" });

    expect(groups.get("app").servers.map(({ admin }) => admin)).toEqual(["ready", "drain"]);
  });

  test("changes nothing where its group or server is gone, or where it is about no server", () => {
    const groups = new Groups(() => 0);
    groups.load([aGroup()]);
    const before = groups.get("app");

    groups.applyTo("app", "red red1", { type: "admin-set", server: 0, admin: "drain" });
    groups.applyTo("shop", "blue blue1", { type: "admin-set", server: 0, admin: "drain" });
    groups.applyTo("app", "blue blue1", { type: "switched", to: "green" });

    expect(groups.get("app")).toBe(before);
  });
});
