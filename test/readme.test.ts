import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { statusLines } from "../src/cli/status-text.ts";
import { parseConfig } from "../src/config/parse-config.ts";
import type { GroupView, PoolView, StatusView } from "../src/control/api-schema.ts";
import type { Failure } from "../src/failover/failure.ts";
import { judge, type RequestFacts } from "../src/failover/judge.ts";
import { DEFAULT_POLICY } from "../src/failover/policy.ts";
import { formatJson } from "../src/observe/log-json.ts";
import { compileTemplate, LOG_PRESETS } from "../src/observe/log-template.ts";
import { attemptRecord, exchangeRecord } from "./support/exchange-records.ts";
import { readProjectFile } from "./support/source-files.ts";

const readme = readProjectFile("README.md");
const MANIFEST = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = MANIFEST.parse(JSON.parse(readProjectFile("package.json")));

describe("README.md", () => {
  test("needs two commands to try it, and CI runs what they run", () => {
    const commands = codeBlocks("sh", section("Try it"));
    const ci = readProjectFile(".ci/run");

    expect(commands).toEqual(["npm ci && npm run demo", "npm test"]);
    expect(["npm ci", "npm run demo", "npm test"].filter((one) => !ci.includes(` ${one}`))).toEqual(
      [],
    );
  });

  test("shows a configuration in ten lines that is one", () => {
    const [text = ""] = codeBlocks("yaml", readme);
    const options = { file: "understudy.yaml", env: {}, readText: (path: string) => path };
    const result = parseConfig(text, options);

    expect(result.ok ? result.warnings : result.problems).toEqual([]);
    expect(text.split("\n")).toHaveLength(10);
  });

  test("shows log lines as they are written", () => {
    const samples = codeBlocks("(?:json)?", section("What is in the log"));
    const template = compileTemplate(LOG_PRESETS.blue_green);

    expect(samples[0]?.replaceAll("\n ", "")).toBe(formatJson(SAVED_BY_GREEN));
    expect(samples.map(withoutLocalTime)).toContain(
      withoutLocalTime(template.ok ? template.format(SAVED_BY_GREEN) : ""),
    );
  });

  test("shows the status as it is printed", () => {
    const [block = ""] = codeBlocks("", section("Operate it"));

    expect(block.split("\n").slice(1)).toEqual(statusLines(STATUS, [GREEN_SERVES]));
  });

  test.each(retryRows())("tells what becomes of a request when $row", ({ row, cells, failure }) => {
    const told = cells.map((cell) => VERDICTS.find(([words]) => cell.startsWith(words))?.[1]);
    const done = [...REPEATABLE, ...OTHERS].map((method) => verdict(method, failure));

    expect(row).not.toBe("");
    expect(done).toEqual([...REPEATABLE.map(() => told[0]), ...OTHERS.map(() => told[1])]);
  });
});

describe("the pages of this project", () => {
  const pages = [
    "README.md",
    "CHANGELOG.md",
    "src/README.md",
    "docs/admin-api.md",
    "docs/configuration.md",
    "docs/metrics.md",
    "docker/README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
  ];

  test.each(pages)("%s links to files that are there", (page) => {
    const here = new URL(`../${page}`, import.meta.url);
    const links = Array.from(
      readProjectFile(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g),
      ([, link]) => link ?? "",
    );

    expect(links.filter((link) => !existsSync(new URL(link, here)))).toEqual([]);
  });

  test.each([...pages, ".ci/run"])("%s names only scripts that are there", (page) => {
    const named = Array.from(
      readProjectFile(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g),
      ([, name]) => name ?? "",
    );

    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

/** What the retry table says of a row, beside the failure that it speaks of. */
function retryRows() {
  const sent = { phase: "head", sentBytes: 100 } as const;
  const failures: readonly [start: string, failure: Partial<Failure>][] = [
    ["no connection", { phase: "connect", cause: "refused" }],
    ["no connection", { phase: "connect", cause: "timeout" }],
    ["no connection", { phase: "resolve", cause: "refused" }],
    ["connection breaks, or no answer", { ...sent, cause: "reset" }],
    ["connection breaks, or no answer", { ...sent, cause: "timeout" }],
    ["the answer is no valid HTTP", { ...sent, cause: "malformed", receivedBytes: 10 }],
    ["502, 503 or 504", { ...sent, cause: "status", status: 503, receivedBytes: 10 }],
    ["a kept-alive connection", { phase: "send", cause: "reset", reused: true }],
  ];
  return failures.map(([start, failure]) => {
    const line = readme.split("\n").find((one) => one.startsWith(`| ${start}`)) ?? "";
    const [, row = "", ...cells] = line.split("|").map((cell) => cell.trim());
    return { row, cells: cells.slice(0, 2), failure: { ...NOTHING_SENT, ...failure } };
  });
}

const REPEATABLE = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
const OTHERS = ["POST", "PATCH", "LOCK", "PURGE"];

/** How a cell of the retry table begins, and the decision that it means. */
const VERDICTS = [
  ["next server", "next"],
  ["same server again", "redial"],
  ["the same if nothing was written", "redial"],
  ["**not retried**", "return"],
] as const;

const NOTHING_SENT: Failure = {
  source: "server",
  phase: "head",
  cause: "reset",
  status: undefined,
  retryAfter: false,
  reused: false,
  sentBytes: 0,
  receivedBytes: 0,
};

function verdict(method: string, failure: Failure): string {
  const request: RequestFacts = {
    method,
    idempotencyKey: false,
    replayable: true,
    triesLeft: 1,
    elapsedMs: 0,
    answered: false,
    redialed: false,
  };
  return judge(DEFAULT_POLICY, request, failure).decision;
}

/** The exchange of the README: blue answered 503, green 200. */
const SAVED_BY_GREEN = exchangeRecord(
  {
    startedAt: Date.UTC(2026, 10, 21, 3, 56, 46, 373),
    requestTimeMs: 15,
    requestId: "f7767d1f4b31d3c800000002",
    clientAddress: "127.0.0.1",
    target: "/version",
    host: "localhost:8080",
    sentBytes: 212,
    pool: "green",
    release: "v2",
    attempts: [
      attemptRecord({
        server: "127.0.0.1:3001",
        addr: "127.0.0.1:3001",
        reused: true,
        phase: "head",
        cause: "status",
        sentBytes: 320,
        receivedBytes: 241,
        connectMs: 0,
        headMs: 0.744,
        totalMs: 4.993,
        status: 503,
        counted: true,
        decision: "next",
        why: "answered 503: on to the next server",
      }),
      attemptRecord({
        n: 2,
        pool: "green",
        release: "v2",
        server: "127.0.0.1:3002",
        addr: "127.0.0.1:3002",
        sentBytes: 320,
        receivedBytes: 238,
        connectMs: 1.484,
        headMs: 9.679,
        totalMs: 9.831,
        why: "",
      }),
    ],
  },
  { request: { "user-agent": "curl/7.88.1" } },
);

/** The gateway of the README's status, and its group. */
const STATUS: StatusView = {
  version: "0.1.0",
  time: "2026-11-21T12:00:00.000Z",
  started: "2026-11-18T10:00:00.000Z",
  uptime_seconds: 266_400,
  stopping: false,
  addresses: ["0.0.0.0:8080"],
  connections: 40,
  config: { number: 12, hash: "a1b2c3d4e5f6", since: "2026-11-21T11:00:00.000Z" },
  workers: [],
};
const POOL: PoolView = {
  name: "blue",
  role: "primary",
  standby: "awake",
  release: "v1",
  serving: false,
  in_flight: 0,
  tunnels: 0,
  servers: [
    {
      address: "app_blue:3000",
      admin: "ready",
      health: "down",
      available: false,
      reason: "refused the connection (1 of 1 strikes in 5 s)",
      since: "2026-11-21T11:59:48.000Z",
      strikes: 1,
      in_flight: 0,
      tunnels: 0,
    },
  ],
};
const SERVES: PoolView = {
  ...POOL,
  name: "green",
  role: "backup",
  release: "v2",
  serving: true,
  servers: [
    {
      address: "app_green:3000",
      admin: "ready",
      health: "up",
      available: true,
      reason: "has not failed yet",
      since: "2026-11-21T08:48:00.000Z",
      strikes: 0,
      in_flight: 12,
      tunnels: 3,
    },
  ],
};
const GREEN_SERVES: GroupView = {
  name: "app",
  primary: "blue",
  configured_primary: "blue",
  active: "green",
  door: { state: "open" },
  waiting: 0,
  ordered: [],
  pools: [POOL, SERVES],
};

function section(title: string): string {
  return readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
}

function codeBlocks(language: string, text: string): readonly string[] {
  const blocks = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, "gm");
  return Array.from(text.matchAll(blocks), ([, block]) => block ?? "");
}

function withoutLocalTime(line: string): string {
  return line.replace(/\[\d{4}-[^\]]*\]/, "[]");
}
