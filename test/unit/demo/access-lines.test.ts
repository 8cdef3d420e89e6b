import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AccessLines } from "../../../demo/access-lines.ts";

test("each reading gives the lines that were completed since the last", () => {
  using log = openLog();

  writeFileSync(log.file, `${line("a", 200)}\n${line("b", 200).slice(0, 10)}`);
  const first = log.lines.read();
  appendFileSync(log.file, `${line("b", 200).slice(10)}\n`);
  const second = log.lines.read();
  const third = log.lines.read();

  expect([first, second, third].map((lines) => lines.map((one) => one.requestId))).toEqual([
    ["a"],
    ["b"],
    [],
  ]);
});

test.each([
  ["saved", 200, undefined, "refused the connection: on to the next server", undefined],
  [
    "sent and not repeatable",
    502,
    "SERVER_FAILED",
    "reset the connection: POST was sent and may not be repeated (ECONNRESET)",
    "POST already sent",
  ],
  ["out of servers", 503, undefined, "answered 503: no server is left to try", "no server left"],
  ["of no use to anybody", 507, "NO_STORAGE", "", undefined],
])("a request that is %s has its excuse or none", (_, status, error, why, excuse) => {
  using log = openLog();
  const attempts = [{ decision: "return", why }];

  writeFileSync(log.file, `${line("a", status, { error, attempts })}\n`);

  expect(log.lines.read()).toEqual([{ requestId: "a", status, decisions: ["return"], excuse }]);
});

test("a request that found no server at all has had no attempt", () => {
  using log = openLog();

  writeFileSync(log.file, `${line("a", 502, { error: "NO_SERVER" })}\n`);

  expect(log.lines.read()).toEqual([
    { requestId: "a", status: 502, decisions: [], excuse: "no server left" },
  ]);
});

test("requests of others than the load are left out", () => {
  using log = openLog();

  writeFileSync(log.file, `${line("a", 101, { path: "/ws" })}\n${line("b", 200)}\n`);

  expect(log.lines.read().map(({ requestId }) => requestId)).toEqual(["b"]);
});

function line(id: string, status: number, more: object = {}): string {
  return JSON.stringify({ request_id: id, path: "/echo", status, ...more });
}

function openLog() {
  const folder = mkdtempSync(join(tmpdir(), "understudy-log-"));
  const file = join(folder, "access.log");
  return {
    file,
    lines: new AccessLines(file),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
