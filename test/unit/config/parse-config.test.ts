import { describe, expect, test } from "vitest";
import { RULES } from "../../../src/alert/alert.ts";
import type { Config } from "../../../src/config/config.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { DEFAULT_POLICY, NGINX_POLICY } from "../../../src/failover/policy.ts";

const env = { POOL: "green", N: "3", RELEASE: "1.10", EMPTY: "" };

function parse(text: string) {
  return parseConfig(text, { file: "u.yaml", env, readText: (path) => `the text of ${path}` });
}

function configOf(text: string): Config {
  const result = parse(text);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.config;
}

/** `line:column path: message` of every problem. */
function problemsOf(text: string): string[] {
  const result = parse(text);
  const problems = result.ok ? [] : result.problems;
  return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

/** One group with this text in it, from line 4 and column 5 on. */
function group(text: string): string {
  return `listen: 127.0.0.1:0\ngroups:\n  app:\n${text.replaceAll(/^/gm, "    ")}\n`;
}

const MINIMAL = "listen: 127.0.0.1:8080\ngroups: { app: { pools: { blue: http://a:1 } } }";

test("everything but an address and a group has a default", () => {
  expect(configOf(MINIMAL)).toEqual({
    listen: [{ kind: "tcp", host: "127.0.0.1", port: 8080 }],
    admin: undefined,
    workers: "auto",
    accessLog: { file: "stdout", format: "json" },
    eventLog: { file: "stderr", level: "info" },
    limits: {
      headBytes: 16_384,
      targetBytes: 8_192,
      fieldCount: 100,
      headTimeMs: 10_000,
      bodyBytes: 1_073_741_824,
      bodyIdleMs: 60_000,
      sendIdleMs: 60_000,
      idleMs: 75_000,
      requestsPerConnection: 10_000,
      connections: 10_000,
      loopDelayMs: 500,
      serverHeadBytes: 65_536,
    },
    shutdownTimeoutMs: 30_000,
    trustedProxies: [],
    servedBy: false,
    hooks: [],
    alerts: {
      channels: [],
      links: [],
      rules: new Set(Object.keys(RULES)),
      errorRate: { threshold: 0.02, window: 200, atLeast: 50 },
      latency: undefined,
      cooldownMs: 300_000,
      isMuted: false,
    },
    logUpgradeStart: false,
    groups: [
      {
        name: "app",
        routes: [{ host: undefined, path: "/" }],
        spec: {
          name: "app",
          primary: "blue",
          pools: [
            {
              name: "blue",
              cold: false,
              servers: [
                {
                  key: "blue a:1",
                  pool: "blue",
                  url: "http://a:1",
                  address: "a:1",
                  weight: 1,
                  maxFails: 1,
                  failTimeoutMs: 10_000,
                  maxConns: 0,
                  down: false,
                  probe: undefined,
                },
              ],
            },
          ],
          balance: { kind: "round_robin" },
          policy: DEFAULT_POLICY,
          drain: { tunnelsMs: 300_000, spreadMs: 30_000, graceMs: 2_000 },
          split: [],
        },
        timeouts: {
          connectMs: 2_000,
          sendMs: 3_000,
          readMs: 3_000,
          totalMs: 0,
          tunnelMs: 3_600_000,
        },
        upgrade: new Set(["websocket"]),
        affinity: { kind: "none" },
        keepalive: { maxIdle: 64, idleMs: 4_000 },
        replay: { memoryBytes: 1_048_576, limitBytes: 67_108_864 },
        rules: [],
        hold: { whenDown: false, maxMs: 30_000, requests: 1_000 },
        maintenance: { retryAfterMs: 60_000, page: undefined },
        hostHeader: "preserve",
        releases: new Map(),
        expect: new Map(),
        standbys: new Map(),
        health: new Map(),
        errorPages: new Map(),
      },
    ],
  });
});

test("JSON is read as well", () => {
  const json = JSON.stringify({
    listen: "127.0.0.1:8080",
    groups: { app: { pools: { blue: "http://a:1" } } },
  });

  expect(configOf(json)).toEqual(configOf(MINIMAL));
});

describe("the same is written in several ways", () => {
  const SERVER = '{ url: "http://a:1", max_fails: 1 }';

  test.each([
    group("pools: { blue: http://a:1 }"),
    group("pools: { blue: { url: http://a:1 } }"),
    group("pools: { blue: [http://a:1] }"),
    group(`pools: { blue: [${SERVER}] }`),
    group("pools: { blue: { servers: [http://a:1] } }"),
    group(`pools:\n  blue:\n    servers:\n      - ${SERVER}`),
    group("primary:\npools: { blue: { url: http://a:1, max_fails: } }\nlimits:").replace(
      /\n {4}limits:/,
      "",
    ),
    `x-pool: &pool { url: http://a:1 }\n${group("pools: { blue: *pool }")}`,
    `x-pool: &pool { url: http://a:1 }\n${group("pools: { blue: { <<: *pool, weight: 1 } }")}`,
    group("pools: { blue: http://a:1 }").replaceAll("\n", "\r\n"),
    `\uFEFF${group("pools: { blue: http://a:1 }")}`,
    group("pools: { blue: http://a:1 }").replace("127.0.0.1:0", "[127.0.0.1:0]"),
    group("pools: { blue: http://a:1 }").replace("127.0.0.1:0", "[{ address: 127.0.0.1:0 }]"),
  ])("%s", (text) => {
    expect(configOf(text)).toEqual(configOf(group("pools: { blue: http://a:1 }")));
  });
});

test("every key of a group arrives where the code looks for it", () => {
  const { groups } = configOf(
    group(`
routes: [{ host: "*.Example.com", path: /api }, { host: b.org }]
primary: \${POOL}
pools:
  blue: { url: http://a, release: 1.10, expect_release: "\${RELEASE}", expect_pool: b }
  grey: [http://c:1, { url: http://d:2, weight: 5, down: true }]
  green:
    servers:
      - url: http://b
        max_fails: \${N}
        fail_timeout: 5s
        max_conns: 7
    release: \${N}
next_upstream: { on: [error, http_500], tries: 2, timeout: 5s }
timeouts: { connect: 1s, send: 2s, read: 3s, total: 4s, tunnel: 5s }
recheck: connect
failback: manual
hold_down: 1m
upgrade: [websocket, IRC/6.9]
drain: { tunnels: 1m, spread: 0s, grace: 250ms }
balance: hash $http_x
affinity: header X-Tenant
keepalive: { max_idle: 1, idle: 2s }
replay: { memory: 8k, limit: 4k }
hold: { max: 7s, requests: 9 }
maintenance: { retry_after: 5m }
trust_idempotency_key: true
respect_retry_after: true
host_header: server
error_pages: { 502: down.html, 503: down.JSON }
`),
  );

  expect(groups).toEqual([
    {
      name: "app",
      routes: [
        { host: "*.example.com", path: "/api" },
        { host: "b.org", path: "/" },
      ],
      spec: {
        name: "app",
        primary: "green",
        pools: [
          {
            name: "green",
            cold: false,
            servers: [
              {
                ...server("green", "http://b", "b:80"),
                maxFails: 3,
                failTimeoutMs: 5_000,
                maxConns: 7,
              },
            ],
          },
          { name: "blue", cold: false, servers: [server("blue", "http://a", "a:80")] },
          {
            name: "grey",
            cold: false,
            servers: [
              server("grey", "http://c:1", "c:1"),
              { ...server("grey", "http://d:2", "d:2"), weight: 5, down: true },
            ],
          },
        ],
        balance: { kind: "hash", key: "$http_x" },
        policy: {
          ...DEFAULT_POLICY,
          nextUpstream: new Set(["error", "http_500"]),
          tries: 2,
          nextUpstreamTimeoutMs: 5_000,
          recheck: "connect",
          failback: "manual",
          holdDownMs: 60_000,
          trustIdempotencyKey: true,
          respectRetryAfter: true,
        },
        drain: { tunnelsMs: 60_000, spreadMs: 0, graceMs: 250 },
        split: [],
      },
      timeouts: { connectMs: 1_000, sendMs: 2_000, readMs: 3_000, totalMs: 4_000, tunnelMs: 5_000 },
      upgrade: new Set(["websocket", "irc/6.9"]),
      affinity: { kind: "header", name: "x-tenant" },
      keepalive: { maxIdle: 1, idleMs: 2_000 },
      replay: { memoryBytes: 4_096, limitBytes: 4_096 },
      rules: [],
      hold: { whenDown: true, maxMs: 7_000, requests: 9 },
      maintenance: { retryAfterMs: 300_000, page: undefined },
      hostHeader: "server",
      releases: new Map([
        ["blue", "1.10"],
        ["green", "3"],
      ]),
      expect: new Map([["blue", { pool: "b", release: "1.10" }]]),
      standbys: new Map(),
      health: new Map(),
      errorPages: new Map([
        [502, { type: "text/html; charset=utf-8", body: "the text of down.html" }],
        [503, { type: "application/json", body: "the text of down.JSON" }],
      ]),
    },
  ]);
});

function server(pool: string, url: string, address: string) {
  const key = `${pool} ${address}`;
  const defaults = {
    weight: 1,
    maxFails: 1,
    failTimeoutMs: 10_000,
    maxConns: 0,
    down: false,
    probe: undefined,
  };
  return { key, pool, url, address, ...defaults };
}

describe("the policy is a preset with what is written beside it", () => {
  test.each([
    ["compat: none", DEFAULT_POLICY],
    ["compat: nginx", NGINX_POLICY],
    ["next_upstream: off", { ...DEFAULT_POLICY, nextUpstream: new Set() }],
    ["next_upstream: []", { ...DEFAULT_POLICY, nextUpstream: new Set() }],
    ["next_upstream: { on: off }", { ...DEFAULT_POLICY, nextUpstream: new Set() }],
    ["next_upstream: [timeout]", { ...DEFAULT_POLICY, nextUpstream: new Set(["timeout"]) }],
    ["next_upstream: { tries: 2 }\ncompat: nginx", { ...NGINX_POLICY, tries: 2 }],
    ["recheck: auto\ncompat: nginx", { ...NGINX_POLICY, recheck: "auto" }],
  ])("%s", (text, policy) => {
    expect(configOf(group(text)).groups[0]!.spec.policy).toEqual(policy);
  });
});

describe("the access log", () => {
  test.each([
    ["off", undefined],
    ["json", { file: "stdout", format: "json" }],
    ["$status ${UNSET:-x}", { file: "stdout", format: "$status x" }],
    ["'$${status}'", { file: "stdout", format: "${status}" }],
    ["{ file: /var/log/a.log }", { file: "/var/log/a.log", format: "json" }],
    ["{ format: '$pool' }", { file: "stdout", format: "$pool" }],
    ["ecs", { file: "stdout", format: "ecs" }],
    [
      "{ format: otel, skip: [/healthz], sample: 10% }",
      { file: "stdout", format: "otel", skip: ["/healthz"], sample: 0.1 },
    ],
    [
      "{ redact: { query: [token], headers: [Cookie] } }",
      { file: "stdout", format: "json", redact: { query: ["token"], headers: ["cookie"] } },
    ],
  ])("%s", (text, expected) => {
    expect(configOf(`access_log: ${text}\n${MINIMAL}`).accessLog).toEqual(expected);
  });

  test("presets are written out", () => {
    expect(configOf(`access_log: blue_green\n${MINIMAL}`).accessLog?.format).toContain(
      "pool=$pool",
    );
  });
});

test("trusted proxies are addresses and ranges", () => {
  const proxies = ["10.0.0.0/8", "::1", "fd00::/8", "192.168.1.10"];

  const config = configOf(`trusted_proxies: ${JSON.stringify(proxies)}\n${MINIMAL}`);

  expect(config.trustedProxies).toEqual(proxies);
});

describe("release and identity are text as it is written", () => {
  test.each([
    ["release: 1.10", "1.10"],
    ["release: ${RELEASE}", "1.10"],
    ["release: '007'", "007"],
    ["release: 0x10", "0x10"],
    ["release: true", "true"],
    ["release: ${EMPTY}", undefined],
    ["release:", undefined],
  ])("%s", (text, expected) => {
    const { groups } = configOf(group(`pools:\n  b:\n    url: http://a\n    ${text}`));

    expect(groups[0]!.releases.get("b")).toBe(expected);
  });
});

test("a group without pools is a reserved entrance", () => {
  const [app] = configOf("listen: 127.0.0.1:1\ngroups:\n  app:\n").groups;

  expect([app?.spec.primary, app?.spec.pools]).toEqual(["", []]);
});

describe("mistakes are told with their place and what would be right", () => {
  test.each([
    ["", ["1:1 : the file is empty: write at least `listen` and `groups`"]],
    ["# nothing\n", ["1:1 : the file is empty: write at least `listen` and `groups`"]],
    ["- a", ["1:1 : the file is no map of keys: write at least `listen` and `groups`"]],
    [
      "{}",
      [
        "1:1 listen: is missing: must be an address or a list of them, for example 127.0.0.1:8080",
        "1:1 groups: is missing",
      ],
    ],
    [
      "listen: []\ngroups: {}",
      ["1:9 listen: needs an address", "2:9 groups: needs at least one group, for example app"],
    ],
    [
      "listen: [127.0.0.1:0, 127.0.0.1:0]\ngroups: { app: }",
      ["1:23 listen.1: 127.0.0.1:0 is listened on already"],
    ],
    ["listen: 127.0.0.1:1\ngroups: [a]", ["2:9 groups: a list is no map of keys"]],
    [
      "a: [",
      [
        "1:5 : not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
    ],
    ["a:\n\t- b", ["2:1 : not valid YAML: tabs are not allowed as indentation"]],
    [
      "a: {b: ${C}}",
      [
        "1:9 : not valid YAML: unexpected flow-map-start at node end: inside { } and [ ] a variable needs quotes, which make it text",
      ],
    ],
    [
      "a: 1\n---\nb: 1",
      [
        "2:1 : not valid YAML: source contains multiple documents; please use YAML.parseAllDocuments()",
      ],
    ],
    ["listen: *a\ngroups: { app: }", ["1:9 listen: no anchor &a stands before this"]],
  ])("%s", (text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test.each([
    ["version: 2", "1:10 version: this gateway reads version 1, not 2"],
    ["acess_log: off", '1:1 acess_log: unknown key, did you mean "access_log"?'],
    ["shutdown-timeout: 3s", '1:1 shutdown-timeout: unknown key, did you mean "shutdown_timeout"?'],
    ["tls: {}", "1:1 tls: not supported yet: a later version will know this key"],
    ["workers: 65", "1:10 workers: 65 is no whole number from 0 to 64"],
    ["workers: all", "1:10 workers: must be auto or a number from 0 to 64"],
    ["served_by: yes", '1:12 served_by: "yes" is neither true nor false'],
    ["admin: 127.0.0.1:9900", '1:8 admin: "127.0.0.1:9900" is no map of keys'],
    ["admin: {}", "1:8 admin.address: is missing, for example 127.0.0.1:8080"],
    [
      "admin: { address: 127.0.0.1:8080 }",
      "1:19 admin.address: 127.0.0.1:8080 is listened on already",
    ],
    [
      "event_log: { level: warning }",
      '1:21 event_log.level: "warning" is none of debug, info, warn, error',
    ],
    ["limits: { head: 16kb }", '1:17 limits.head: "16kb" is no size: write 512, 64k, 1m or 1g'],
    ["limits: { idle: 75 }", "1:17 limits.idle: a duration needs a unit: write 75s or 75ms"],
    ["limits: { headers: 0 }", "1:20 limits.headers: 0 is no whole number of at least 1"],
    ["limits: { head: 0 }", "1:17 limits.head: must be larger than 0"],
    ["limits: { target: 0b }", "1:19 limits.target: must be larger than 0"],
    ["limits: { server_head: 0k }", "1:24 limits.server_head: must be larger than 0"],
    ["trusted_proxies: 10.0.0.0/8", '1:18 trusted_proxies: "10.0.0.0/8" is no list'],
    [
      "trusted_proxies: [10.0.0.0/33]",
      '1:19 trusted_proxies.0: "10.0.0.0/33" is no address: write 10.0.0.1 or 10.0.0.0/8',
    ],
    [
      "access_log: jsn",
      '1:13 access_log: "jsn" is no format: json, logfmt, ecs, otel, combined, blue_green or a template, did you mean "json"?',
    ],
    ["access_log: $statu", '1:13 access_log: unknown variable $statu, did you mean "$status"?'],
    ["access_log: { fil: x }", '1:15 access_log.fil: unknown key, did you mean "file"?'],
    [
      "access_log: { skip: [healthz] }",
      '1:22 access_log.skip.0: "healthz" is no path: it begins with /',
    ],
    ["access_log: { sample: 200% }", '1:23 access_log.sample: "200%" is no part of 100: write 2%'],
    ["__proto__: {}", "1:1 __proto__: unknown key"],
    ["? [a]\n: b", "1:3 : a key has to be a plain word"],
    [
      "shutdown_timeout: ${UNSET}",
      "1:19 shutdown_timeout: ${UNSET} is not set: set it, or write ${UNSET:-default}",
    ],
    ["shutdown_timeout: ${N}", "1:19 shutdown_timeout: a duration needs a unit: write 3s or 3ms"],
    ["served_by: true\nserved_by: true", "2:1 served_by: is written twice: keep one"],
  ])("%s", (text, expected) => {
    const found = problemsOf(`${text}\n${MINIMAL}`);

    expect(found).toContain(expected);
  });

  test.each([
    ["replya: {}", '4:5 groups.app.replya: unknown key, did you mean "replay"?'],
    ["hold: 10", "4:11 groups.app.hold: a duration needs a unit: write 10s or 10ms"],
    [
      "hold: { max: 1s, request: 1 }",
      '4:22 groups.app.hold.request: unknown key, did you mean "requests"?',
    ],
    [
      "health: healthz",
      '4:13 groups.app.health: "healthz" is no path: it begins with / and has no spaces',
    ],
    ["health: []", "4:13 groups.app.health: must be off, a path, or a map"],
    ["health: { pat: / }", '4:15 groups.app.health.pat: unknown key, did you mean "path"?'],
    [
      "health: { kind: tpc }",
      '4:21 groups.app.health.kind: "tpc" is none of http, tcp, exec, did you mean "tcp"?',
    ],
    [
      "health: { kind: tcp, path: / }",
      "4:26 groups.app.health.path: belongs to a probe of kind http; this one is tcp",
    ],
    [
      "health: { command: [a] }",
      "4:15 groups.app.health.command: belongs to a probe of kind exec; this one is http",
    ],
    [
      "health: { kind: exec }",
      "4:13 groups.app.health: kind exec needs a `command`, for example [/bin/check, --fast]",
    ],
    [
      "health: { interval: 2 }",
      "4:25 groups.app.health.interval: a duration needs a unit: write 2s or 2ms",
    ],
    [
      "health: { fast_interval: 3s }",
      "4:30 groups.app.health.fast_interval: is longer than `interval`",
    ],
    [
      "health: { method: HEAD, body: ok }",
      "4:29 groups.app.health.body: the answer to a HEAD has no body: write `method: GET`",
    ],
    [
      "health: { status: [300-204] }",
      '4:24 groups.app.health.status.0: "300-204" is no status from 100 to 599, nor a range like 200-399',
    ],
    [
      "health: { jitter: 80% }",
      '4:23 groups.app.health.jitter: "80%" is no part from 0% to 50%, for example 10%',
    ],
    [
      "health: { jitter: 1 }",
      "4:23 groups.app.health.jitter: 1 is no part from 0% to 50%, for example 10%",
    ],
    [
      "health: { headers: { Host: a } }",
      '4:26 groups.app.health.headers.Host: "Host" is not yours to set here',
    ],
    [
      "health: { json: { a: [1] } }",
      "4:26 groups.app.health.json.a: must be a text, a number, true, false or null",
    ],
    [
      "pools: { blue: { url: http://a, health: { kind: tcp, body: a } } }",
      "4:58 groups.app.pools.blue.health.body: belongs to a probe of kind http; this one is tcp",
    ],
    [
      "split: { bleu: 1 }",
      '4:14 groups.app.split.bleu: no pool is named "bleu": the group has none',
    ],
    [
      "split: { blue: 0 }",
      "4:12 groups.app.split: every weight is 0: some pool has to take the clients",
    ],
    ["split: { blue: -1 }", "4:20 groups.app.split.blue: is below 0: a number from 0 to 1000000"],
    [
      "rules: [{ header: X-A, pool: grene }]",
      '4:34 groups.app.rules.0.pool: no pool is named "grene": the group has none',
    ],
    [
      "rules: [{ clients: 0%, pool: blue }]",
      '4:24 groups.app.rules.0.clients: "0%" is no part of all clients: write 5% or 0.5%',
    ],
    ["primary: 5", "4:14 groups.app.primary: 5 is no text"],
    ["primary: blue", '4:14 groups.app.primary: no pool is named "blue": the group has none'],
    [
      "pools: { blue: http://a }\nprimary: bleu",
      '5:14 groups.app.primary: no pool is named "bleu": there is blue, did you mean "blue"?',
    ],
    [
      "pools:\n  blue:",
      "5:7 groups.app.pools.blue: is missing: must be a url, a list of servers, or a map with `servers` or a `url`",
    ],
    ["pools: { blue: {} }", "4:20 groups.app.pools.blue: needs `servers` or a `url`"],
    ["pools: { blue: [] }", "4:20 groups.app.pools.blue: a pool needs at least one server"],
    [
      "pools: { blue: 3000 }",
      "4:20 groups.app.pools.blue: 3000 is no url: write http://127.0.0.1:3000",
    ],
    [
      "pools: { blue: https://a }",
      '4:20 groups.app.pools.blue: https servers are not supported yet: write "http://a"',
    ],
    [
      "pools: { 1a: http://a }",
      '4:14 groups.app.pools.1a: "1a" is no name: a letter, then at most 62 letters, digits, _ or -',
    ],
    [
      "pools: { b: [http://a, http://A:80/] }",
      "4:28 groups.app.pools.b.1: a:80 is in this pool already: give it a `weight` instead",
    ],
    [
      "pools: { b: { servers: [http://a], weight: 2 } }",
      "4:40 groups.app.pools.b.weight: belongs to a server: write it into each of `servers`",
    ],
    [
      "pools: { b: { servers: [{ url: http://a, fail_timout: 3s }] } }",
      '4:46 groups.app.pools.b.servers.0.fail_timout: unknown key, did you mean "fail_timeout"?',
    ],
    [
      "pools: { b: [{ weight: 0 }] }",
      "4:28 groups.app.pools.b.0.weight: 0 is no whole number from 1 to 65535",
    ],
    [
      "pools: { b: [{ weight: 1 }] }",
      "4:18 groups.app.pools.b.0.url: is missing, for example http://127.0.0.1:3000",
    ],
    [
      "pools: { b: { url: http://a, fail_timeout: 0 } }",
      "4:48 groups.app.pools.b.fail_timeout: must be longer than 0",
    ],
    [
      "upgrade: [websocket, h2c]",
      "4:26 groups.app.upgrade.1: h2c is never passed on: it would carry requests unchecked",
    ],
    [
      "next_upstream: [eror]",
      '4:21 groups.app.next_upstream.0: "eror" is none of error, timeout, invalid_header, http_403, http_404, http_429, http_500, http_502, http_503, http_504, non_idempotent, did you mean "error"?',
    ],
    [
      "next_upstream: error",
      "4:20 groups.app.next_upstream: must be a map, off, or a list of error, timeout, invalid_header, http_403, http_404, http_429, http_500, http_502, http_503, http_504, non_idempotent",
    ],
    [
      "compat: ngnix",
      '4:13 groups.app.compat: "ngnix" is none of none, nginx, did you mean "nginx"?',
    ],
    [
      "balance: least_con",
      '4:14 groups.app.balance: "least_con" is none of round_robin, least_conn, hash KEY, did you mean "least_conn"?',
    ],
    [
      "affinity: header",
      "4:15 groups.app.affinity: needs the name of the header, for example header X-Tenant",
    ],
    [
      "affinity: ips",
      '4:15 groups.app.affinity: "ips" is none of none, cookie, ip, header NAME, socketio, did you mean "ip"?',
    ],
    [
      "affinity: [cookie]",
      "4:15 groups.app.affinity: must be one of none, cookie, ip, header NAME, socketio, or a map with `kind: cookie`",
    ],
    [
      "affinity: { kind: ip }",
      "4:23 groups.app.affinity.kind: must be cookie: only that has a map",
    ],
    [
      "affinity: { kind: cookie, nam: x }",
      '4:31 groups.app.affinity.nam: unknown key, did you mean "name"?',
    ],
    [
      "affinity: { kind: cookie, name: a b }",
      '4:37 groups.app.affinity.name: "a b" is no name of a cookie: letters, digits, _ or -',
    ],
    [
      "affinity: { kind: cookie, secret: hunter2 }",
      "4:39 groups.app.affinity.secret: is too short: at least 16 characters",
    ],
    ["sticky: true", "4:5 groups.app.sticky: unknown key: it is called affinity"],
    [
      "balance: hash $x",
      '4:14 groups.app.balance: "$x" is no key to hash, known are $remote_addr, $request_uri, $uri, $host, $http_NAME, $cookie_NAME, $arg_NAME',
    ],
    [
      "routes: [{ path: api }]",
      '4:22 groups.app.routes.0.path: "api" is no path: it begins with /',
    ],
    [
      "routes: [{ path: /a* }]",
      '4:22 groups.app.routes.0.path: "/a*" is no prefix: write it without ? # * or spaces',
    ],
    [
      "routes: [{ host: 'a:80' }]",
      '4:22 groups.app.routes.0.host: "a:80" has a port: a route is a host name alone',
    ],
    [
      "routes: [{ host: a.* }]",
      '4:22 groups.app.routes.0.host: "a.*" is no host: write app.example.com or *.example.com',
    ],
    [
      "routes: [{ path: /a }, { path: /a/ }]",
      '4:28 groups.app.routes.1: the route "any host, path /a" is in group "app" twice',
    ],
    [
      "error_pages: { 200: x.html }",
      '4:20 groups.app.error_pages.200: "200" is no status of an error: 400 to 599',
    ],
    [
      "error_pages: { 502: x.png }",
      '4:25 groups.app.error_pages.502: what is "x.png"? known are .html, .json, .txt',
    ],
  ])("%s", (text, expected) => {
    const found = problemsOf(group(text));

    expect(found).toContain(expected);
  });

  test("two groups with the same route are both named", () => {
    const text = `${group("routes: [{ host: a.org }]")}  two: { routes: [{ host: A.org }, {}] }\n  three: {}\n`;

    expect(problemsOf(text)).toEqual([
      '5:19 groups.two.routes.0: the route "a.org/" belongs to group "app" already: give "two" another host or path',
      '6:10 groups.three: the route "any host, path /" belongs to group "two" already: give "three" another host or path',
    ]);
  });

  test("a mistake in a merged map is placed where it is written", () => {
    const text = `x-pool: &p\n  weight: 0\n${group("pools: { b: { <<: *p, url: http://a } }")}`;

    expect(problemsOf(text)).toEqual([
      "2:11 groups.app.pools.b.weight: 0 is no whole number from 1 to 65535",
    ]);
  });

  test("all of them are told at once, in the order of the text", () => {
    const text = `listen: 8080\nworkers: -1\nx: 1\ngroups:\n  app: { primary: blue, pools: { red: a } }\nversion: 3\n`;

    expect(problemsOf(text)).toEqual([
      "1:9 listen: which address? write 127.0.0.1:8080 (this host only) or 0.0.0.0:8080",
      "2:10 workers: -1 is no whole number from 0 to 64",
      expect.stringMatching(/^3:1 x: unknown key, known here: version, listen, admin, .*, groups$/),
      '5:19 groups.app.primary: no pool is named "blue": there is red',
      '5:39 groups.app.pools.red: "a" has no scheme: write http://a',
      "6:10 version: this gateway reads version 1, not 3",
    ]);
  });

  test("with the line and a caret", () => {
    const result = parse(group("timout: x"));

    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
      'u.yaml:4:5  groups.app.timout: unknown key, did you mean "timeouts"?\n        timout: x\n        ^',
    ]);
  });
});

describe("what would exhaust the gateway is refused", () => {
  const bomb = ["x-a: &a [l,l,l,l,l,l,l,l,l]"];
  for (const [from, to] of ["ab", "bc", "cd"].map((pair) => pair.split(""))) {
    bomb.push(`x-${to}: &${to} [${`*${from},`.repeat(9)}]`);
  }

  test.each([
    ["aliases that multiply", `${bomb.join("\n")}\n${MINIMAL}`, /its aliases are too many/],
    [
      "an alias of what it is in",
      "listen: &a [*a]\ngroups: { app: }",
      /must be an address or a map/,
    ],
    [
      "a map that merges itself",
      "listen: 127.0.0.1:0\ngroups: &g { app: { <<: *g } }",
      /lead back to themselves/,
    ],
    ["deep nesting", `groups: ${"[".repeat(20_000)}`, /./],
    ["deep nesting in one path", `groups: ${"{a: ".repeat(3_000)}1${"}".repeat(3_000)}`, /./],
  ])("%s", (_, text, message) => {
    const result = parse(text);

    expect(result.ok ? "" : result.problems[0]?.message).toMatch(message);
  });
});

test("what is allowed but hardly meant is a warning", () => {
  const result = parse(group("routes: []\npools: { b: { url: http://a, down: true } }"));

  const warnings = result.ok ? result.warnings : [];
  expect(warnings.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
    "4:5 no request reaches a group without routes",
    "5:5 every server is `down`: all requests get 502",
  ]);
});

test("every key of a probe arrives where the code looks for it", () => {
  const text = group(
    [
      "health: { path: /up, method: POST, host: a.test, headers: { X-A: b }, status: [200, 301-308], " +
        "body: ok, json: { a.b: 1 }, release: 1.10, interval: 4s, fast_interval: 1s, timeout: 3s, rise: 3, fall: 4, " +
        "jitter: 2.5%, initial: probe }",
      "flap: { changes: 2, within: 9s, hold: 8s }",
      "pools:",
      "  blue: http://a",
      "  green: { url: http://b, health: { kind: exec, command: [/bin/check, -v], interval: 400ms } }",
      "  grey: { url: http://c, health: off }",
      "  white: { url: http://d, health: { kind: tcp } }",
      "  red: { url: http://e, health: /red }",
    ].join("\n"),
  );

  const result = parse(text);

  const [app] = result.ok ? result.config.groups : [];
  const rules = {
    intervalMs: 4000,
    fastIntervalMs: 1000,
    jitter: 0.025,
    rise: 3,
    fall: 4,
    gate: true,
  };
  const usual = {
    intervalMs: 2000,
    fastIntervalMs: 500,
    jitter: 0.1,
    rise: 2,
    fall: 2,
    gate: false,
  };
  const plain = { method: "GET", host: undefined, headers: {}, body: undefined, json: {} };
  expect(Object.fromEntries(app?.health ?? [])).toEqual({
    blue: {
      ask: {
        kind: "http",
        method: "POST",
        path: "/up",
        host: "a.test",
        headers: { "X-A": "b" },
        statuses: [
          { from: 200, to: 200 },
          { from: 301, to: 308 },
        ],
        body: "ok",
        json: { "a.b": 1 },
        release: "1.10",
      },
      timeoutMs: 3000,
      rules,
    },
    green: {
      ask: { kind: "exec", command: ["/bin/check", "-v"] },
      timeoutMs: 1000,
      rules: { ...usual, intervalMs: 400, fastIntervalMs: 250 },
    },
    white: { ask: { kind: "tcp" }, timeoutMs: 1000, rules: usual },
    red: {
      ask: {
        kind: "http",
        path: "/red",
        ...plain,
        statuses: [{ from: 200, to: 399 }],
        release: undefined,
      },
      timeoutMs: 1000,
      rules: usual,
    },
  });
  expect(app?.spec.policy.flap).toEqual({ changes: 2, withinMs: 9000, holdMs: 8000 });
  const probes = app?.spec.pools.map(({ servers }) => servers[0]?.probe?.intervalMs);
  expect(probes).toEqual([4000, 400, undefined, 2000, 2000]);
});
