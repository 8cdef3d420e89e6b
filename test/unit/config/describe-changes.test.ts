import { describe, expect, test } from "vitest";
import { describeChanges } from "../../../src/config/describe-changes.ts";
import { configOf } from "../../support/config.ts";

const SERVER = "http://127.0.0.1:3001";
const TEXT = `
listen: [127.0.0.1:8080, "[::1]:8080", unix:/run/understudy.sock]
groups:
  app:
    primary: blue
    pools:
      blue: { servers: [${SERVER}, http://127.0.0.1:3002], release: v1 }
      green: { servers: [http://127.0.0.1:3003] }
      grey: { servers: [http://127.0.0.1:3004] }
    timeouts: { read: 3s }
    error_pages: { 502: down.html }
`;

const previous = configOf(TEXT);

/** What is told when this becomes that in the text. */
function changesBy(from: string, to: string): readonly string[] {
  if (!TEXT.includes(from)) throw new Error(`no ${from} in the text`);
  return describeChanges(previous, configOf(TEXT.replace(from, to)));
}

/** What is told of a line that comes to the top of the text, or to its group. */
const atTop = (line: string): readonly string[] => changesBy("listen:", `${line}\nlisten:`);
const inGroup = (line: string): readonly string[] =>
  changesBy("    primary:", `    ${line}\n    primary:`);

test("nothing is told of the same configuration in other words", () => {
  expect(changesBy("listen:", "# a comment\nx-free: 1\nlisten:")).toEqual([]);
  expect(changesBy(`[${SERVER}, `, `[{ url: "${SERVER}", max_fails: 1 }, `)).toEqual([]);
});

test("all changes are told, sorted, each once", () => {
  const next = configOf(
    TEXT.replace("listen:", "served_by: true\naccess_log: off\nlisten:")
      .replace("127.0.0.1:8080", "127.0.0.1:8081")
      .replace("http://127.0.0.1:3003]", "http://127.0.0.1:3005, http://127.0.0.1:3003]")
      .replace("read: 3s", "read: 4s, connect: 1s")
      .concat("  api: { routes: [{ path: /api }] }\n"),
  );

  expect(describeChanges(previous, next)).toEqual([
    "access_log changed",
    "group api added",
    "group app: server http://127.0.0.1:3005 added to green",
    "group app: timeouts changed",
    "listen 127.0.0.1:8080 removed",
    "listen 127.0.0.1:8081 added",
    "served_by changed",
  ]);
});

describe("told by its key is a change of", () => {
  test.each([
    ["admin: { address: 127.0.0.1:9900 }", "admin"],
    ["workers: 2", "workers"],
    ["access_log: combined", "access_log"],
    ["event_log: { level: debug }", "event_log"],
    ["limits: { body: 1m }", "limits"],
    ["shutdown_timeout: 1s", "shutdown_timeout"],
    ["trusted_proxies: [10.0.0.0/8]", "trusted_proxies"],
    ["served_by: true", "served_by"],
    ["log_upgrade_start: true", "log_upgrade_start"],
  ])("%s", (line, key) => {
    expect(atTop(line)).toEqual([`${key} changed`]);
  });

  test.each([
    ["routes: [{ path: /app }]", "routes"],
    ["next_upstream: [error]", "next_upstream"],
    ["next_upstream: { tries: 2 }", "next_upstream"],
    ["next_upstream: { timeout: 2s }", "next_upstream"],
    ["upgrade: []", "upgrade"],
    ["drain: { tunnels: 1s }", "drain"],
    ["recheck: connect", "recheck"],
    ["failback: manual", "failback"],
    ["hold_down: 1s", "hold_down"],
    ["flap: { changes: 0 }", "flap"],
    ["balance: least_conn", "balance"],
    ["affinity: ip", "affinity"],
    ["keepalive: { max_idle: 1 }", "keepalive"],
    ["replay: { memory: 1k }", "replay"],
    ["trust_idempotency_key: true", "trust_idempotency_key"],
    ["respect_retry_after: true", "respect_retry_after"],
    ["host_header: server", "host_header"],
  ])("a group's %s", (line, key) => {
    expect(inGroup(line)).toEqual([`group app: ${key} changed`]);
  });

  test("the rules of a preset, with those that have a key of their own", () => {
    expect(inGroup("compat: nginx")).toContain("group app: compat changed");
  });

  test("a page, also where only its text is another", () => {
    expect(
      describeChanges(
        previous,
        configOf(TEXT, () => "another text"),
      ),
    ).toEqual(["group app: error_pages changed"]);
  });
});

describe("pools and servers are told by their names", () => {
  test.each([
    ["green: {", "black: {", ["pool black added", "pool green removed"]],
    ["primary: blue", "primary: green", ["primary changed"]],
    ["release: v1", "release: v2", ["release of blue changed"]],
    ["release: v1", "release: v1, expect_pool: blue", ["expect_pool of blue changed"]],
    ["release: v1", "release: v1, health: /healthz", ["health of blue changed"]],
    ["release: v1", "release: v1, expect_release: v1", ["expect_release of blue changed"]],
    [
      SERVER,
      "http://127.0.0.1:3009",
      [
        "server http://127.0.0.1:3001 removed from blue",
        "server http://127.0.0.1:3009 added to blue",
      ],
    ],
    [SERVER, `{ url: "${SERVER}", weight: 2 }`, [`server ${SERVER} of blue changed`]],
    [
      `${SERVER}, http://127.0.0.1:3002`,
      `http://127.0.0.1:3002, ${SERVER}`,
      ["order of servers in blue changed"],
    ],
    [
      "green: { servers: [http://127.0.0.1:3003] }\n      grey: { servers: [http://127.0.0.1:3004] }",
      "grey: { servers: [http://127.0.0.1:3004] }\n      green: { servers: [http://127.0.0.1:3003] }",
      ["order of pools changed"],
    ],
  ])("%s -> %s", (from, to, changes) => {
    expect(changesBy(from, to)).toEqual(changes.map((change) => `group app: ${change}`));
  });

  test("and addresses as they are written", () => {
    expect(changesBy('"[::1]:8080", unix:/run/understudy.sock', "127.0.0.1:1")).toEqual([
      "listen 127.0.0.1:1 added",
      "listen [::1]:8080 removed",
      "listen unix:/run/understudy.sock removed",
    ]);
  });
});
