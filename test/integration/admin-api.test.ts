import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { local, startTestAdmin } from "../support/admin.ts";
import type { ExchangeRecord } from "../../src/events.ts";
import { TrafficTally } from "../../src/observe/traffic-tally.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../support/exchange-records.ts";
import { aGroup, aPool } from "../support/failover-groups.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask } from "../support/raw-client.ts";

const USE = { cpuSeconds: 1.5, busySeconds: 2.5, residentBytes: 64e6, delayMs: 4 };
const WORKER = {
  slot: 0,
  pid: 7,
  since: Date.UTC(2026, 0, 1),
  crashes: 0,
  connections: 3,
  use: USE,
};
const RESERVED = aGroup([], {}, { name: "reserved" });

describe("what the gateway is", () => {
  test("its status: version, times, addresses, configuration, workers", async () => {
    const clock = new ManualClock();
    await using admin = await startTestAdmin({ clock });
    admin.control.workers = [
      { ...WORKER, state: "serving" },
      { ...WORKER, slot: 1, pid: undefined, state: "waiting", crashes: 4, connections: 0 },
    ];
    clock.stall(61_500);

    expect(await admin.ask("/api/v1/status")).toEqual([
      200,
      {
        version: "1.2.3",
        time: "2026-01-01T00:01:01.500Z",
        started: "2026-01-01T00:00:00.000Z",
        uptime_seconds: 61.5,
        stopping: false,
        addresses: ["127.0.0.1:8080"],
        connections: 3,
        config: { number: 3, hash: "a1b2c3d4e5f6", since: "2026-01-01T00:00:00.000Z" },
        workers: [
          {
            slot: 0,
            pid: 7,
            state: "serving",
            since: "2026-01-01T00:00:00.000Z",
            crashes: 0,
            connections: 3,
          },
          {
            slot: 1,
            state: "waiting",
            since: "2026-01-01T00:00:00.000Z",
            crashes: 4,
            connections: 0,
          },
        ],
      },
    ]);
  });

  test("its groups: all, and one by its name", async () => {
    const clock = new ManualClock();
    await using admin = await startTestAdmin({ clock, groups: [aGroup(), RESERVED] });

    const [, all] = await admin.ask("/api/v1/groups");
    const [, one] = await admin.ask("/api/v1/groups/app");

    expect(all).toEqual({
      groups: [
        one,
        {
          name: "reserved",
          primary: "",
          configured_primary: "",
          active: "",
          door: { state: "open" },
          waiting: 0,
          ordered: [],
          pools: [],
        },
      ],
    });
    expect(one).toMatchObject({ name: "app", active: "blue", pools: [{ name: "blue" }, {}] });
  });

  test("a HEAD is answered like a GET, without the body", async () => {
    await using admin = await startTestAdmin();

    const answer = await ask(admin, local({ method: "HEAD", path: "/api/v1/groups" }));

    expect([answer?.status, answer?.body]).toEqual([200, ""]);
    expect(await admin.ask("/api/v1/events", { method: "HEAD" })).toEqual([200, ""]);
  });

  test("on a unix socket, for its owner and group alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "admin-"));
    const path = join(folder, "admin.sock");
    {
      await using admin = await startTestAdmin({ address: { kind: "unix", path } });

      expect(admin.address).toBe(`unix:${path}`);
      expect((statSync(path).mode & 0o777).toString(8)).toBe("660");
      expect((await ask({ path }, { path: "/livez" }))?.status).toBe(200);
    }
    rmSync(folder, { recursive: true });
  });

  test("an address in use is Node's error", async () => {
    await using admin = await startTestAdmin();
    const address = { kind: "tcp", host: "127.0.0.1", port: admin.port } as const;

    await expect(startTestAdmin({ address })).rejects.toThrow("EADDRINUSE");
  });
});

describe("how the gateway is", () => {
  test("alive whatever becomes of its servers", async () => {
    await using admin = await startTestAdmin();
    admin.control.isStopping = true;

    expect(await admin.ask("/livez")).toEqual([200, "alive\n"]);
  });

  test("ready while every group with servers has one that is available", async () => {
    await using admin = await startTestAdmin({ groups: [aGroup(), RESERVED] });

    expect(await admin.ask("/readyz")).toEqual([200, "ready\n"]);
    expect(await admin.ask("/readyz?verbose")).toEqual([
      200,
      "[+] running: the gateway is not stopping\n" +
        "[+] workers: one process does everything\n" +
        "[+] group app: blue is active\n" +
        "ready\n",
    ]);
  });

  test("not ready with a reason: a group without a server, no worker, a stop", async () => {
    await using admin = await startTestAdmin();
    for (const server of [0, 1]) {
      admin.control.registry.apply("app", { type: "admin-set", server, admin: "maint" });
    }
    admin.control.workers = [{ ...WORKER, state: "starting" }];
    admin.control.isStopping = true;

    expect(await admin.ask("/readyz")).toEqual([
      503,
      "[-] running: the gateway is stopping\n" +
        "[-] workers: 0 of 1 serve\n" +
        "[-] group app: no server is available: blue1 is in maintenance, green1 is in maintenance\n" +
        "not ready\n",
    ]);
    expect(await admin.ask("/health")).toEqual([
      503,
      {
        status: "fail",
        version: "1.2.3",
        description: "Understudy, a failover gateway",
        output: expect.stringMatching(
          /^running: the gateway is stopping; workers: 0 of 1 serve; group app: no server is available: /,
        ),
      },
    ]);
  });

  test("its health warns where less stands by than should, and tells of each part", async () => {
    await using admin = await startTestAdmin();
    const [, well] = await admin.ask("/health");
    admin.control.strike(0);

    const [status, weak] = await admin.ask("/health?detailed");

    expect(well).toMatchObject({ status: "pass" });
    expect([status, weak]).toMatchObject([
      200,
      {
        status: "warn",
        output: expect.stringMatching(
          /^group app: green serves in place of blue, no server of blue/,
        ),
        checks: {
          uptime: [{ status: "pass", observedUnit: "s" }],
          workers: [{ status: "pass" }],
          config: [{ status: "pass", observedValue: "3 (a1b2c3d4e5f6)" }],
          "group:app": [{ status: "warn", observedValue: "green" }],
        },
      },
    ]);
  });
});

describe("orders", () => {
  test("a switch, which the groups show when it is answered", async () => {
    await using admin = await startTestAdmin();

    const answer = await admin.post("/api/v1/groups/app/switch", { to: "green" });

    expect(answer).toEqual([200, { lines: ["done"] }]);
    const [, group] = await admin.ask("/api/v1/groups/app");
    expect(group).toMatchObject({ primary: "green", active: "green" });
  });

  test("reload and restart, with an empty body or an empty map", async () => {
    await using admin = await startTestAdmin();

    expect(await admin.post("/api/v1/reload")).toEqual([200, { lines: ["done"] }]);
    expect(await admin.post("/api/v1/restart", {})).toEqual([200, { lines: ["done"] }]);
    expect(admin.control.ordered).toEqual(["reload", "restart"]);
  });

  test.each([
    ["refused", 409, "REFUSED", "refused"],
    ["failed", 422, "FAILED", "failed"],
    ["unknown", 404, "NOT_FOUND", "not-found"],
    ["rolled_back", 422, "ROLLED_BACK", "rolled-back"],
  ] as const)("one that was %s is answered with %i, every line and fact", async (...row) => {
    const [kind, status, code, type] = row;
    await using admin = await startTestAdmin();
    admin.control.decide = () => ({ ok: false, kind, lines: ["one", "two"], facts: { ms: 3 } });

    expect(await admin.post("/api/v1/reload")).toEqual([
      status,
      {
        type: `urn:understudy:problem:${type}`,
        title: expect.any(String),
        status,
        detail: "one\ntwo",
        code,
        lines: ["one", "two"],
        ms: 3,
      },
    ]);
  });

  test.each([
    ["/api/v1/groups/ap/switch", { to: "green" }, 404, 'no group "ap", did you mean "app"?'],
    ["/api/v1/groups/%zz/switch", { to: "green" }, 404, 'no group "%zz", known here: app'],
    [
      "/api/v1/groups/app/switch",
      { to: "gren" },
      404,
      'group "app" has no pool "gren", did you mean "green"?',
    ],
    ["/api/v1/groups/app/switch", {}, 400, "to: is missing"],
    ["/api/v1/groups/app/switch", { to: 1 }, 400, "to: 1 is no text"],
    [
      "/api/v1/groups/app/switch",
      { to: "green", wiat: true },
      400,
      'wiat: unknown key, did you mean "wait"?',
    ],
    ["/api/v1/groups/app/switch", [], 400, "a list is no map of keys"],
    ["/api/v1/reload", { force: true }, 400, "force: unknown key, none is known here"],
  ])("%s with %j is refused, and nothing is done", async (path, body, status, message) => {
    await using admin = await startTestAdmin();

    expect(await admin.post(path, body)).toMatchObject([
      status,
      { code: status === 404 ? "NOT_FOUND" : "BAD_REQUEST", status, detail: message },
    ]);
    expect(admin.control.ordered).toEqual([]);
  });

  test("one that meets a bug is answered with 500, and the bug is told", async () => {
    await using admin = await startTestAdmin();
    admin.control.decide = () => Promise.reject(new Error("a bug"));

    const [status] = await admin.post("/api/v1/restart");

    expect([status, admin.errors.map(String)]).toEqual([500, ["Error: a bug"]]);
  });
});

describe("what is not there", () => {
  test.each([
    ["/api/v1/group", 'nothing is at "/api/v1/group", did you mean "/api/v1/groups"?'],
    ["/metric", 'nothing is at "/metric", did you mean "/metrics"?'],
    ["/", /^nothing is at "\/", known here: \/livez, /],
    ["//evil.test/livez", /^nothing is at /],
    ["/api/v1/groups/", /^nothing is at /],
  ])("%s is 404, with what would be right", async (path, message) => {
    await using admin = await startTestAdmin();

    expect(await admin.ask(path)).toMatchObject([
      404,
      {
        code: "NOT_FOUND",
        status: 404,
        detail: typeof message === "string" ? message : expect.stringMatching(message),
      },
    ]);
  });

  test.each([
    ["PUT", "/api/v1/groups", "GET, HEAD, POST"],
    ["POST", "/api/v1/groups/app", "GET, HEAD, PATCH, DELETE"],
    ["HEAD", "/api/v1/reload", "POST"],
    ["GET", "/api/v1/reload", "POST"],
    ["DELETE", "/api/v1/groups/app/switch", "POST"],
    ["OPTIONS", "/livez", "GET, HEAD"],
  ])("%s %s is 405, with the methods that are allowed", async (method, path, allow) => {
    await using admin = await startTestAdmin();

    const answer = await ask(admin, local({ method, path }));

    expect([answer?.status, answer?.fields.get("allow")]).toEqual([405, allow]);
  });
});

test("metrics say what is so now, and count what has happened", async () => {
  await using admin = await startTestAdmin();
  admin.control.loads.set("green green1", { inFlight: 4, tunnels: 2 });
  admin.control.workers = [
    { ...WORKER, state: "serving", crashes: 5 },
    { ...WORKER, state: "draining" },
  ];
  admin.control.waiting = 6;
  admin.control.traffic = trafficOf([
    exchangeRecord(),
    exchangeRecord({ pool: "green", attempts: REFUSED_THEN_ANSWERED }),
    exchangeRecord({ group: undefined, release: undefined, attempts: [], status: 404 }),
    exchangeRecord({ group: "gone" }),
  ]);
  admin.control.strike(0);

  const [status, text] = await admin.ask("/metrics");

  expect(status).toBe(200);
  const lines = String(text).split("\n");
  const wanted = [
    /^understudy_build_info\{version="1\.2\.3",node="\d+[\d.]*"\} 1$/,
    /^understudy_config_number 3$/,
    /^understudy_config_info\{hash="a1b2c3d4e5f6"\} 1$/,
    /^understudy_config_reloads_total\{result="ok"\} 2$/,
    /^understudy_config_reloads_total\{result="failed"\} 1$/,
    /^understudy_workers\{state="serving"\} 1$/,
    /^understudy_workers\{state="waiting"\} 0$/,
    /^understudy_worker_crashes_total 5$/,
    /^understudy_worker_cpu_seconds_total\{worker="0"\} 1\.5$/,
    /^understudy_worker_busy_seconds_total\{worker="0"\} 2\.5$/,
    /^understudy_worker_resident_memory_bytes\{worker="0"\} 64000000$/,
    /^understudy_worker_loop_delay_seconds\{worker="0"\} 0\.004$/,
    /^understudy_worker_uncounted_seconds_total 0\.5$/,
    /^understudy_client_connections 3$/,
    /^understudy_server_up\{group="app",pool="blue",server="blue1"\} 0$/,
    /^understudy_server_available\{group="app",pool="green",server="green1"\} 1$/,
    /^understudy_group_active_pool\{group="app",pool="blue"\} 0$/,
    /^understudy_group_active_pool\{group="app",pool="green"\} 1$/,
    /^understudy_pool_asleep\{group="app",pool="green"\} 0$/,
    /^understudy_in_flight\{group="app",pool="green",server="green1"\} 4$/,
    /^understudy_tunnels\{group="app",pool="green",server="green1"\} 2$/,
    /^understudy_server_strikes\{group="app",pool="blue",server="blue1"\} 1$/,
    /^understudy_held_requests\{group="app"\} 6$/,
    /^understudy_switches_total\{group="app",kind="failover"\} 1$/,
    /^understudy_switches_total\{group="app",kind="ordered"\} 0$/,
    /^understudy_http_requests_total\{group="app",pool="blue",release="v1",method="GET",code="2xx"\} 1$/,
    /^understudy_http_requests_total\{group="app",pool="blue",release="v1",method="GET",code="5xx"\} 0$/,
    /^understudy_http_requests_total\{group="",pool="",release="",method="GET",code="4xx"\} 1$/,
    /^understudy_attempts_total\{group="app",pool="blue",outcome="ok",cause=""\} 1$/,
    /^understudy_attempts_total\{group="app",pool="blue",outcome="failed",cause="refused"\} 1$/,
    /^understudy_retries_total\{group="app",pool="blue",kind="next"\} 1$/,
    /^understudy_retries_total\{group="app",pool="blue",kind="rescue"\} 0$/,
    /^understudy_saved_requests_total\{group="app",pool="green"\} 1$/,
    /^understudy_http_request_duration_seconds_bucket\{group="app",pool="blue",le="0\.025"\} 0$/,
    /^understudy_http_request_duration_seconds_bucket\{group="app",pool="blue",le="0\.05"\} 1$/,
    /^understudy_http_request_duration_seconds_bucket\{group="app",pool="blue",le="\+Inf"\} 1$/,
    /^understudy_http_request_duration_seconds_sum\{group="app",pool="blue"\} 0\.045$/,
    /^understudy_http_request_duration_seconds_count\{group="app",pool="blue"\} 1$/,
    /^understudy_events_total\{type="server-down"\} 1$/,
    /^understudy_events_total\{type="all-down"\} 0$/,
    /^process_cpu_seconds_total \d/,
  ];
  expect(wanted.filter((one) => !lines.some((line) => one.test(line)))).toEqual([]);
  expect(text).not.toContain('group="gone"');
});

test("metrics keep nothing of a group that is gone, and gateways nothing of one another", async () => {
  await using admin = await startTestAdmin();
  await using other = await startTestAdmin({ groups: [aGroup([aPool("red", {})])] });
  await admin.ask("/metrics");
  admin.control.registry.load([]);

  expect((await admin.ask("/metrics"))[1]).not.toContain("server_up{");
  expect((await other.ask("/metrics"))[1]).toContain('server_up{group="app",pool="red"');
});

function trafficOf(records: readonly ExchangeRecord[]) {
  const tally = new TrafficTally();
  for (const record of records) tally.count(record);
  return tally.all;
}
