import { describe, expect, test } from "vitest";
import { groupLines, PLAIN, statusLines } from "../../../src/cli/status-text.ts";
import type {
  GroupView,
  PoolView,
  ServerView,
  StatusView,
} from "../../../src/control/api-schema.ts";

const NOW = "2026-11-21T12:00:00.000Z";

const SERVER: ServerView = {
  address: "app_blue:3000",
  admin: "ready",
  health: "up",
  available: true,
  reason: "has not failed yet",
  since: "2026-11-21T11:59:48.000Z",
  strikes: 0,
  in_flight: 0,
  tunnels: 0,
};

const BLUE: PoolView = {
  name: "blue",
  role: "primary",
  standby: "awake",
  serving: true,
  in_flight: 0,
  tunnels: 0,
  servers: [SERVER],
};

const GREEN: PoolView = { ...BLUE, name: "green", role: "backup", serving: false };
const OUT: ServerView = {
  ...SERVER,
  health: "down",
  available: false,
  reason: "refused the connection",
};

const STATUS: StatusView = {
  version: "1.2.3",
  time: NOW,
  started: "2026-11-18T10:00:00.000Z",
  uptime_seconds: 0,
  stopping: false,
  addresses: ["127.0.0.1:8080", "unix:/run/understudy.sock"],
  connections: 40,
  config: { number: 12, hash: "a1b2c3d4e5f6", since: "2026-11-21T11:00:00.000Z" },
  workers: [],
};

function group(active: string, ...pools: readonly PoolView[]): GroupView {
  const primary = pools[0]?.name ?? "";
  const common = {
    name: "app",
    configured_primary: primary,
    door: { state: "open" },
    waiting: 0,
  } as const;
  const ordered: string[] = [];
  return { ...common, ordered, primary, active, pools: [...pools] };
}

describe("the first line of a group says which release serves and why", () => {
  test.each([
    [
      "blue (release v1) serves: it is the primary",
      group("blue", { ...BLUE, release: "v1" }, GREEN),
    ],
    [
      "green serves: the primary blue has no server available",
      group("green", { ...BLUE, serving: false, servers: [OUT] }, { ...GREEN, serving: true }),
    ],
    [
      "green serves: the primary blue is available again",
      group("green", { ...BLUE, serving: false }, { ...GREEN, serving: true }),
    ],
    [
      "blue is active, but none of its servers is available",
      group("blue", { ...BLUE, serving: false, servers: [OUT] }, GREEN),
    ],
    [
      "NO SERVER IS AVAILABLE; blue is active",
      group("blue", { ...BLUE, serving: false, servers: [OUT] }, { ...GREEN, servers: [OUT] }),
    ],
    ["nothing is deployed here yet", group("")],
  ])("%s", (words, view) => {
    expect(groupLines(view, NOW)[0]).toBe(`group app: ${words}`);
  });
});

test("what a group promises stands below it, with what is left of its error budget", () => {
  const promise = { objective: "availability", target: 0.999, requests: 10_000 } as const;
  const slo: GroupView["slo"] = [
    { ...promise, bad: 2, budget_left: 0.8 },
    { ...promise, objective: "latency", target: 0.99, under_ms: 300, bad: 120, budget_left: -0.2 },
    { ...promise, bad: 9, budget_left: 0.1, burning: "fast" },
    { ...promise, requests: 0, bad: 0, budget_left: 1 },
  ];

  expect(groupLines({ ...group("blue", BLUE), slo }, NOW).slice(1, 5)).toEqual([
    "  promises 99.9 % available: 99.98 % of 30 days, 80 % of the error budget left",
    "  promises 99 % within 300 ms: 98.8 % of 30 days, BROKEN",
    "  promises 99.9 % available: 99.91 % of 30 days, 10 % of the error budget left, burns FAST",
    "  promises 99.9 % available: no requests yet, 100 % of the error budget left",
  ]);
});

test("a group is a tree: what was ordered, its pools, their servers and why they are as they are", () => {
  const last_probe = {
    passed: false,
    time: "2026-11-21T11:59:58.500Z",
    took_ms: 3,
    passes: 0,
    fails: 2,
    reason: "ECONNREFUSED",
  };
  const down = { ...OUT, strikes: 1, last_probe };
  const view: GroupView = {
    ...group(
      "green",
      { ...BLUE, serving: false, servers: [down] },
      {
        ...GREEN,
        serving: true,
        release: "v2",
        draining_until: "2026-11-21T12:03:05.000Z",
        tunnels: 7,
      },
    ),
    ordered: ["primary green (the configuration says blue)"],
    waiting: 3,
  };

  expect(groupLines(view, NOW)).toEqual([
    "group app: green (release v2) serves: the primary blue has no server available",
    "  by order: primary green (the configuration says blue)",
    "  3 requests wait for a server",
    "  blue   primary",
    `    ${OUT.address}  down 12s  0 in flight, 1 strike, probe failed 1s ago`,
    `      ${OUT.reason}`,
    "      probe: ECONNREFUSED",
    "  green  backup   SERVES  release v2, drains for another 3m 5s: 7 tunnels",
    `    ${SERVER.address}  up 12s    0 in flight`,
  ]);
});

test("a server that an operator took out says so beside its health", () => {
  const drained = { ...BLUE, servers: [{ ...SERVER, admin: "drain" as const }] };

  expect(groupLines(group("blue", drained), NOW)[2]).toContain(`up 12s, drain by order  `);
});

test("no line is wider than the terminal, where words allow it", () => {
  const reason =
    "failed 3 probes in a row: answered 500 instead of 200-299 for /healthz?deep=1, and slowly";
  const view = group("blue", BLUE, { ...GREEN, servers: [{ ...OUT, reason }] });

  const lines = groupLines(view, NOW, { ...PLAIN, width: 60 });

  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
  expect(lines.slice(-2)).toEqual([
    "      failed 3 probes in a row: answered 500 instead of",
    "      200-299 for /healthz?deep=1, and slowly",
  ]);
});

test("colours say how each server is", () => {
  const paint = (style: string, text: string): string => `<${style}>${text}</>`;
  const lines = groupLines(group("blue", BLUE, { ...GREEN, servers: [OUT] }), NOW, {
    ...PLAIN,
    paint,
  });

  expect(lines.map((line) => /<(green|red)>[a-z]+ /.exec(line)?.[0]).filter(Boolean)).toEqual([
    "<green>up ",
    "<red>down ",
  ]);
});

test("the gateway: its configuration, addresses and workers", () => {
  const workers: StatusView["workers"] = [
    { slot: 0, pid: 71, state: "serving", since: STATUS.started, crashes: 0, connections: 40 },
    { slot: 1, state: "waiting", since: STATUS.config.since, crashes: 3, connections: 0 },
  ];

  expect(statusLines({ ...STATUS, workers, stopping: true }, [])).toEqual([
    "understudy 1.2.3, running for 3d 2h, STOPPING",
    "configuration  12 (a1b2c3d4e5f6) since 2026-11-21T11:00:00.000Z",
    "listens on     127.0.0.1:8080, unix:/run/understudy.sock",
    "connections    40",
    "worker 0       serving for 3d 2h, pid 71, 40 connections",
    "worker 1       waiting for 1h 0m, 0 connections, 3 crashes",
  ]);
});

test("every group has its paragraph", () => {
  const lines = statusLines(STATUS, [group("blue", BLUE), { ...group(""), name: "later" }]);

  expect(lines.slice(4)).toEqual([
    "",
    "group app: blue serves: it is the primary",
    "  blue  primary  SERVES",
    "    app_blue:3000  up 12s  0 in flight",
    "",
    "group later: nothing is deployed here yet",
  ]);
});
