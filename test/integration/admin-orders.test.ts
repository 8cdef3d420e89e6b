import { describe, expect, onTestFinished, test } from "vitest";
import { AdminClient } from "../../src/control/admin-client.ts";
import { startTestAdmin } from "../support/admin.ts";

const APP = "/api/v1/groups/app";
const BLUE = `${APP}/pools/blue`;
const SWITCH_DEFAULTS = {
  by: "cli ops@web1",
  to: "green",
  force: false,
  dryRun: false,
  wait: false,
};

describe("every order of a group", () => {
  test.each([
    ["POST", `${APP}/switch`, { to: "green" }, "switch", SWITCH_DEFAULTS],
    [
      "POST",
      `${APP}/switch`,
      {
        to: "green",
        force: true,
        dry_run: true,
        if_active: "blue",
        wait: true,
        guard: { for: "1m", max_errors: "1.5%", max_p99: "2x" },
      },
      "switch",
      {
        by: "cli ops@web1",
        to: "green",
        force: true,
        dryRun: true,
        ifActive: "blue",
        wait: true,
        guard: { forMs: 60_000, maxErrorRatio: 0.015, maxP99Ratio: 2 },
      },
    ],
    ["POST", `${APP}/rollback`, { wait: true }, "rollback", { force: false, wait: true }],
    ["POST", `${APP}/hold`, { max: "30s" }, "hold", { maxMs: 30_000 }],
    ["POST", `${APP}/hold`, undefined, "hold", {}],
    ["POST", `${APP}/resume`, undefined, "resume", {}],
    ["POST", `${APP}/maintenance`, { on: true }, "maintenance", { on: true }],
    [
      "POST",
      `${APP}/split`,
      { split: { blue: 95, green: 5 } },
      "split",
      { split: { blue: 95, green: 5 } },
    ],
    ["POST", `${APP}/split`, { split: null }, "split", {}],
    ["POST", `${APP}/drill`, { for: "5s" }, "drill", { forMs: 5_000 }],
    ["POST", `${APP}/drill`, undefined, "drill", { forMs: 10_000 }],
    ["POST", `${APP}/reset`, undefined, "reset", {}],
    [
      "PATCH",
      BLUE,
      { admin: "drain" },
      "admin",
      { pool: "blue", admin: "drain", force: false, wait: false },
    ],
    [
      "PATCH",
      `${BLUE}/servers/blue1`,
      { admin: "maint", force: true, wait: true },
      "admin",
      { pool: "blue", server: "blue1", admin: "maint", force: true, wait: true },
    ],
    [
      "POST",
      `${BLUE}/start`,
      undefined,
      "standby",
      { pool: "blue", action: "start", force: false },
    ],
    [
      "POST",
      `${BLUE}/stop`,
      { force: true },
      "standby",
      { pool: "blue", action: "stop", force: true },
    ],
    ["PATCH", APP, { definition: { pools: {} } }, "change", { definition: { pools: {} } }],
    ["DELETE", APP, undefined, "delete", { force: false }],
    ["DELETE", `${APP}?force`, undefined, "delete", { force: true }],
  ] as const)("%s %s %j reaches the gateway", async (method, path, body, verb, order) => {
    await using admin = await startTestAdmin();
    admin.control.decide = () => ({ ok: true, lines: ["done"], facts: { took_ms: 4 } });

    const answer = await admin.ask(path, {
      method,
      body: body === undefined ? "" : JSON.stringify(body),
      fields: { "X-Understudy-By": "cli ops@web1" },
    });

    expect(answer).toEqual([200, { took_ms: 4, lines: ["done"] }]);
    const [ordered = ""] = admin.control.ordered;
    const [got, group, ...rest] = ordered.split(" ");
    expect([got, group, JSON.parse(rest.join(" "))]).toEqual([
      verb,
      "app",
      { by: "cli ops@web1", ...order },
    ]);
  });

  test("a new group by its name", async () => {
    await using admin = await startTestAdmin();

    const body = { name: "shop", definition: { pools: { blue: "http://127.0.0.1:1" } } };
    expect(await admin.post("/api/v1/groups", body)).toEqual([200, { lines: ["done"] }]);
    expect(admin.control.ordered).toEqual([expect.stringMatching(/^create shop \{/)]);
  });
});

test("who gives no name is known by the address, and no name forges a line", async () => {
  await using admin = await startTestAdmin();
  const order = async (fields: Record<string, string>): Promise<string> => {
    admin.control.ordered.length = 0;
    await admin.ask(`${APP}/reset`, { method: "POST", fields });
    return admin.control.ordered[0] ?? "";
  };

  expect(await order({})).toBe('reset app {"by":"api 127.0.0.1"}');
  expect(await order({ "X-Understudy-By": "  " })).toBe('reset app {"by":"api 127.0.0.1"}');
  expect(await order({ "X-Understudy-By": "a\u0085\u009bb" })).toBe('reset app {"by":"a?b"}');
  const long = await order({ "X-Understudy-By": "x".repeat(1_000) });
  expect(long).toBe(`reset app {"by":"${"x".repeat(64)}"}`);
});

test.each([
  [
    "POST",
    `${APP}/switch`,
    { to: "green", guard: { for: "60" } },
    400,
    /^guard\.for: a duration needs a unit/,
  ],
  [
    "POST",
    `${APP}/switch`,
    { to: "green", guard: { for: "0s" } },
    400,
    /^guard\.for: must be longer than 0/,
  ],
  [
    "POST",
    `${APP}/switch`,
    { to: "green", guard: { for: "9s", max_errors: 1 } },
    400,
    /^guard\.max_errors: 1 is no part of all answers: write 1%/,
  ],
  [
    "POST",
    `${APP}/switch`,
    { to: "green", guard: { for: "9s", max_errors: "101%" } },
    400,
    /is no part/,
  ],
  [
    "POST",
    `${APP}/switch`,
    { to: "green", guard: { for: "9s", max_p99: "0x" } },
    400,
    /is no multiple: write 2x/,
  ],
  ["POST", `${APP}/maintenance`, {}, 400, /^on: is missing/],
  ["POST", `${APP}/split`, { split: { red: 1 } }, 404, /^group "app" has no pool "red"/],
  ["POST", `${APP}/split`, { split: { blue: -1 } }, 400, /^split\.blue: must be at least 0/],
  [
    "PATCH",
    BLUE,
    { admin: "drian" },
    400,
    /^admin: "drian" is none of ready, drain, maint, did you mean "drain"\?/,
  ],
  [
    "PATCH",
    `${APP}/pools/bleu`,
    { admin: "drain" },
    404,
    /^group "app" has no pool "bleu", did you mean "blue"\?/,
  ],
  [
    "PATCH",
    `${BLUE}/servers/blue2`,
    { admin: "drain" },
    404,
    /^pool "blue" has no server "blue2", did you mean "blue1"\?/,
  ],
  ["POST", `${APP}/pools/bleu/start`, {}, 404, /no pool "bleu"/],
  [
    "DELETE",
    `${APP}?froce`,
    undefined,
    400,
    /^query: "froce" is no parameter, did you mean "force"\?/,
  ],
  ["DELETE", `${APP}?force=maybe`, undefined, 400, /^query: force: must be true or false/],
  ["POST", `${APP}/reset?now`, undefined, 400, /^query: "now" is no parameter, none is known here/],
  ["POST", "/api/v1/groups", { name: "1", definition: {} }, 400, /^name: "1" is no name/],
] as const)(
  "%s %s %j is refused with %i, and nothing is done",
  async (method, path, body, status, detail) => {
    await using admin = await startTestAdmin();

    const answer = await admin.ask(path, {
      method,
      body: body === undefined ? "" : JSON.stringify(body),
    });

    expect(answer).toMatchObject([status, { status, detail: expect.stringMatching(detail) }]);
    expect(admin.control.ordered).toEqual([]);
  },
);

test("one pool, and its word for applications", async () => {
  await using admin = await startTestAdmin();
  const word = (pool: string) => admin.ask(`${APP}/pools/${pool}/failover-status`);

  expect(await admin.ask(BLUE)).toMatchObject([200, { name: "blue", standby: "awake" }]);
  expect(await admin.ask(`${APP}/pools/red`)).toMatchObject([404, { code: "NOT_FOUND" }]);
  expect(await word("blue")).toEqual([200, "online\n"]);
  expect(await word("green")).toEqual([200, "offline\n"]);
  expect(await word("red")).toEqual([200, "none\n"]);
  expect(await admin.ask("/api/v1/groups/ap/pools/blue/failover-status")).toMatchObject([404, {}]);
});

test("the client has a method for each of them", async () => {
  await using admin = await startTestAdmin();
  const address = { kind: "tcp", host: "127.0.0.1", port: admin.port } as const;
  const client = new AdminClient(address, { by: "cli ops@web1" });
  onTestFinished(() => client.close());
  admin.control.decide = () => ({ ok: false, kind: "refused", lines: ["no"], facts: { by: "me" } });
  const orders = [
    client.switchTo("app", { to: "green", wait: undefined }),
    client.rollback("app"),
    client.hold("app"),
    client.resume("app"),
    client.setMaintenance("app", true),
    client.setSplit("app", undefined),
    client.setSplit("app", { blue: 1 }),
    client.drill("app"),
    client.reset("app"),
    client.setAdmin("app", { pool: "blue", admin: "drain" }),
    client.setAdmin("app", { pool: "blue", server: "blue1", admin: "ready" }),
    client.startStandby("app", "blue"),
    client.stopStandby("app", "blue", true),
    client.createGroup("shop", {}),
    client.changeGroup("app", {}),
    client.deleteGroup("app", true),
  ];

  for (const outcome of await Promise.all(orders)) {
    const value = { ok: false, kind: "refused", lines: ["no"], facts: { by: "me" } };
    expect(outcome).toEqual({ ok: true, value });
  }
  expect(admin.control.ordered.length).toBe(orders.length);
  expect(await client.pool("app", "blue")).toMatchObject({ ok: true, value: { name: "blue" } });
  expect(await client.failoverStatus("app", "green")).toEqual({ ok: true, value: "offline" });
});
