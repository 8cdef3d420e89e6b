import { expect, test } from "vitest";
import { type Surroundings, viewGroup } from "../../../src/control/group-view.ts";
import { NGINX_POLICY } from "../../../src/failover/policy.ts";
import { aGroup, aPool, GroupStory, PROBED, REFUSED } from "../../support/failover-groups.ts";

const AT_NOON = Date.UTC(2026, 10, 21, 12);
const IDLE: Surroundings = {
  loadOf: () => ({ inFlight: 0, tunnels: 0 }),
  waitingOf: () => 0,
  releaseOf: () => undefined,
  lastProbeOf: () => undefined,
  serviceLevels: { of: () => [] },
};

/** A group as it is seen at noon, its clock's `now`. */
function seen({ state, now }: GroupStory, around = IDLE) {
  return viewGroup(state, around, { now, wall: AT_NOON });
}

test("a group that has just begun", () => {
  const story = new GroupStory(aGroup());

  const server = {
    admin: "ready",
    health: "up",
    available: true,
    reason: "has not failed yet",
    since: "2026-11-21T12:00:00.000Z",
    strikes: 0,
    in_flight: 0,
    tunnels: 0,
  };
  expect(seen(story)).toEqual({
    name: "app",
    primary: "blue",
    configured_primary: "blue",
    active: "blue",
    door: { state: "open" },
    waiting: 0,
    ordered: [],
    pools: [
      {
        name: "blue",
        role: "primary",
        standby: "awake",
        serving: true,
        in_flight: 0,
        tunnels: 0,
        servers: [{ address: "blue1", ...server }],
      },
      {
        name: "green",
        role: "backup",
        standby: "awake",
        serving: false,
        in_flight: 0,
        tunnels: 0,
        servers: [{ address: "green1", ...server }],
      },
    ],
  });
});

test("a failover: the backup serves, the primary says since when and why it does not", () => {
  const story = new GroupStory(aGroup()).at(60_000).strike(0, REFUSED).at(90_500);

  expect(seen(story)).toMatchObject({
    primary: "blue",
    active: "green",
    pools: [
      {
        name: "blue",
        serving: false,
        servers: [
          {
            health: "down",
            available: false,
            reason: "refused the connection (1 of 1 strikes in 5 s)",
            since: "2026-11-21T11:59:29.500Z",
            strikes: 1,
          },
        ],
      },
      { name: "green", role: "backup", serving: true },
    ],
  });
});

test("a switch: the new primary comes first, and the old one drains", () => {
  const story = new GroupStory(aGroup()).at(1_000).apply({ type: "switched", to: "green" });

  const { pools } = seen(story.at(61_000));

  expect(
    pools.map(({ name, role, serving, draining_until }) => ({
      name,
      role,
      serving,
      draining_until,
    })),
  ).toEqual([
    { name: "green", role: "primary", serving: true, draining_until: undefined },
    {
      name: "blue",
      role: "backup",
      serving: false,
      draining_until: "2026-11-21T12:04:00.000Z",
    },
  ]);
});

test("a server in maintenance keeps its health, and is not available", () => {
  const story = new GroupStory(aGroup());
  story.apply({ type: "admin-set", server: 0, admin: "maint" });

  const [, blue] = seen(story).pools.toReversed();

  expect(blue?.servers).toMatchObject([{ admin: "maint", health: "up", available: false }]);
});

test("with nginx's rules a server that is down is available again once its time is up", () => {
  const story = new GroupStory(aGroup(undefined, NGINX_POLICY)).strike(0);

  const [before, after] = [seen(story.at(5_000)), seen(story.at(5_001))];

  expect([before, after].map(({ pools }) => pools[0]?.servers[0]?.available)).toEqual([
    false,
    true,
  ]);
});

test("loads are those of each server, and their sum for the pool; releases as they are known", () => {
  const story = new GroupStory(aGroup([aPool("blue", {}, {}), aPool("green", {})]));
  const loads: Record<string, { inFlight: number; tunnels: number }> = {
    "blue blue1": { inFlight: 3, tunnels: 1 },
    "blue blue2": { inFlight: 4, tunnels: 2 },
  };

  const { pools } = viewGroup(
    story.state,
    {
      loadOf: (_, key) => loads[key] ?? { inFlight: 0, tunnels: 0 },
      waitingOf: () => 2,
      releaseOf: (_, pool) => (pool === "blue" ? "v1" : undefined),
      lastProbeOf: () => undefined,
      serviceLevels: { of: () => [] },
    },
    { now: 0, wall: AT_NOON },
  );

  expect(pools).toMatchObject([
    {
      release: "v1",
      in_flight: 7,
      tunnels: 3,
      servers: [
        { in_flight: 3, tunnels: 1 },
        { in_flight: 4, tunnels: 2 },
      ],
    },
    { in_flight: 0, tunnels: 0 },
  ]);
  expect(pools[1]).not.toHaveProperty("release");
});

test("what a probe found is shown beside what requests met", () => {
  const story = new GroupStory(aGroup([aPool("blue", { probe: PROBED, maxFails: 2 }, {})]));
  story.at(1000).strike(0);
  story.apply({ type: "probe-passed", server: 0, generation: 0 });
  const lastProbeOf = (_: string, key: string) =>
    key === "blue blue1" ? { at: 750, tookMs: 3.14, failure: undefined } : undefined;

  const [pool] = seen(story, { ...IDLE, lastProbeOf }).pools;

  expect(pool?.servers[0]).toMatchObject({
    health: "up",
    reason: "passed a probe",
    strikes: 1,
    last_probe: {
      passed: true,
      time: "2026-11-21T11:59:59.750Z",
      took_ms: 3.1,
      passes: 1,
      fails: 0,
    },
  });
  expect(pool?.servers[0]?.last_probe).not.toHaveProperty("reason");
  expect(pool?.servers[1]).not.toHaveProperty("last_probe");
});

test("a failed probe is shown with its reason", () => {
  const story = new GroupStory(aGroup([aPool("blue", { probe: PROBED }, {})]));
  const lastProbeOf = () => ({ at: 0, tookMs: 1000, failure: "no answer within 1000 ms" });

  const [pool] = seen(story, { ...IDLE, lastProbeOf }).pools;

  const { last_probe } = pool?.servers[0] ?? {};
  expect(last_probe).toMatchObject({ passed: false, reason: "no answer within 1000 ms" });
});
