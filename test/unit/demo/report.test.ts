import { expect, test } from "vitest";
import type { LoggedRequest } from "../../../demo/access-lines.ts";
import { STORY } from "../../../demo/acts.ts";
import { Ledger } from "../../../demo/ledger.ts";
import { actReportOf, reportOf } from "../../../demo/report.ts";
import { Tally } from "../../../demo/tally.ts";
import type { Result } from "../../../demo/tally.ts";

const KILL = STORY.find(({ act }) => act === "kill");

test("an act has the requests that ended in it, also those that were due before", () => {
  const ledger = ledgerOf([
    ok(0, 90, 20, "green"),
    ok(1, 150, 0.1, "green"),
    ok(2, 199, 1, "blue"),
  ]);
  ledger.note([logged("0", ["rescue", "return"])]);

  const report = actReportOf(played(100, 200, 12.4), ledger);

  expect(report).toEqual({
    act: "kill",
    did: "kill -9 of blue",
    from: 100,
    to: 200,
    seen: true,
    tookOver: { pool: "green", afterMs: 12 },
    requests: 2,
    ok: 2,
    failed: 0,
    unrepeatable: 0,
    posts: 0,
    byPool: { blue: 0, green: 2 },
    retried: 0,
    rescued: 1,
    latencyMs: { p50: 0.1, p99: 20, max: 20 },
  });
});

test.each([
  ["the gateway told nothing", undefined, "green", ["next", "return"]],
  ["the backup answered nothing", 10, "blue", ["next", "return"]],
  ["no request met the failure", 10, "green", []],
] as const)("an act is not seen where %s", (_, tookMs, pool, decisions) => {
  const ledger = ledgerOf([ok(0, 100, 1, pool)]);
  ledger.note([logged("0", decisions)]);

  expect(actReportOf(played(0, 200, tookMs), ledger).seen).toBe(false);
});

test.each<readonly [string, Result, LoggedRequest[], readonly string[]]>([
  ["all went well", ok(0, 0, 1, "green"), [logged("0", ["next", "return"])], []],
  [
    "a request failed",
    failed(0, "GET"),
    [logged("0", ["next", "return"])],
    ["act kill had no effect", "1 requests failed that the policy promises to save"],
  ],
  [
    "a POST failed that was already sent",
    failed(0, "POST"),
    [{ ...logged("0", ["return"]), excuse: "POST already sent" }],
    ["act kill had no effect"],
  ],
  [
    "the log has no line for a request",
    ok(0, 0, 1, "green"),
    [],
    ["act kill had no effect", "the access log has 0 lines of 1 requests"],
  ],
])("the problems are told where %s", (_, result, lines, problems) => {
  const ledger = ledgerOf([result]);
  ledger.note(lines);
  const tally = new Tally();
  tally.issued({ n: 0, id: "0", method: result.method, body: "", dueAt: 0 });
  tally.add(result);

  const report = reportOf([played(0, 200, 10)], tally.summary(0), ledger);

  expect(report.problems).toEqual(problems);
});

test("requests without an end and requests never sent are problems", () => {
  const tally = new Tally();
  tally.issued({ n: 0, id: "0", method: "GET", body: "", dueAt: 0 });

  const report = reportOf([], tally.summary(2), ledgerOf([]));

  expect(report.problems).toEqual([
    "1 requests were never answered",
    "2 requests could not be sent",
    "the access log has 0 lines of 1 requests",
  ]);
});

function played(from: number, to: number, tookMs: number | undefined) {
  if (KILL === undefined) throw new Error("the story has no kill");
  return { act: KILL, from, to, tookMs };
}

function ledgerOf(results: readonly Result[]): Ledger {
  const ledger = new Ledger();
  for (const result of results) ledger.add(result);
  return ledger;
}

function ok(n: number, dueAt: number, latencyMs: number, pool: string): Result {
  return { n, id: `${n}`, method: "GET", dueAt, latencyMs, status: 200, pool, ok: true };
}

function failed(n: number, method: "GET" | "POST"): Result {
  const answer = { status: 502, pool: undefined, ok: false, kind: "status", detail: "" } as const;
  return { n, id: `${n}`, method, dueAt: 0, latencyMs: 1, ...answer };
}

function logged(requestId: string, decisions: readonly string[]): LoggedRequest {
  return { requestId, status: 200, decisions, excuse: undefined };
}
