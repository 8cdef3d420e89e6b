import { expect, test } from "vitest";
import { Monitor } from "../../../demo/monitor.ts";
import { drawScene } from "../../../demo/screen.ts";
import type { Scene } from "../../../demo/screen.ts";
import { render } from "../../../demo/styled-line.ts";
import type { Result } from "../../../demo/tally.ts";

const SOCKETS_LINE =
  " sockets   B  5   G  19  away 1  reconnects 20  longest 312 ms  echoed 4321  unanswered 3";

test("a frame shows servers, one lettered cell for each request, the sums and the keys", () => {
  const scene = sceneOf("BBBBBBBBBxGG..GG");

  const frame = drawn(scene, 70, 12);

  expect(frame).toEqual([
    " understudy http://127.0.0.1:8080  sending GETs",
    "  B  blue  down    stands by  dead          :3001 v1",
    "  G  green up      serves     pid 42        :3002 v2",
    " BBBBBBBBBxGG..GG",
    " ",
    " ",
    " ",
    " ",
    " 14/s  p50 2.00 ms  p99 2.00 ms  requests 16  ok 13  failed 1",
    " in flight 2  retried 0  rescued 0",
    " 12:00:02 failover from blue to green",
    " k kill -9  r revive  e 503s  h hang  s GET/POST  w sockets  q quit",
  ]);
});

test("full rows of the grid move up, and every request keeps its column", () => {
  const scene = sceneOf("BBBBBBBBBBBBBBBBBBBBGGGGGGGGGGxxxxx");

  const gridOf = (rows: number) => drawn(scene, 12, rows).filter((line) => /^ [BGx.]+$/.test(line));

  expect([gridOf(27), gridOf(40)]).toEqual([
    [" GGGGGGGGGG", " xxxxx"],
    [" BBBBBBBBBB", " BBBBBBBBBB", " GGGGGGGGGG", " xxxxx"],
  ]);
});

test.each([
  [1, 1],
  [10, 5],
  [24, 8],
  [80, 24],
  [300, 100],
])("a frame never exceeds %i columns and %i rows", (columns, rows) => {
  const frame = drawn(sceneOf("BG".repeat(200)), columns, rows);

  expect(frame.length).toBeLessThanOrEqual(rows);
  for (const line of frame) expect(line.length).toBeLessThanOrEqual(columns);
});

test("the reasons of failures stand beside their number", () => {
  const monitor = new Monitor();
  monitor.note([
    { requestId: "1", status: 502, decisions: ["return"], excuse: "POST already sent" },
    { requestId: "2", status: 502, decisions: ["next", "return"], excuse: "no server left" },
    { requestId: "3", status: 502, decisions: [], excuse: "no server left" },
  ]);

  const frame = drawn({ ...sceneOf("xxx"), monitor }, 200, 20);

  expect(frame).toContainEqual(
    expect.stringContaining("failed 3 (1 POST already sent, 2 no server left)"),
  );
});

test.each([
  [120, SOCKETS_LINE],
  [80, SOCKETS_LINE.replace("  unanswered", "\n unanswered")],
])("at %i columns the sockets have a line of their own below the sums", (columns, line) => {
  const sockets = {
    byPool: { blue: 5, green: 19 },
    away: 1,
    reconnects: 20,
    longestReconnectMs: 312.4,
    echoed: 4321,
    unanswered: 3,
  };

  const frame = drawn({ ...sceneOf("BG"), sockets }, columns, 24);

  expect(frame.join("\n")).toContain(`rescued 0\n${line}\n 12:00:01`);
});

/** Requests by letter: B and G answered, x failed, . under way. */
function sceneOf(letters: string): Scene {
  const monitor = new Monitor();
  const ended = [...letters.matchAll(/[BGx]/g)].map(({ index }) => index);
  for (const n of ended) monitor.add(resultOf(n, letters.charAt(n)), 0);
  const failed = letters.split("x").length - 1;
  const counts = { issued: letters.length, ok: ended.length - failed, failed, unsent: 0 };
  return {
    port: 8080,
    method: "GET",
    apps: [
      { pool: "blue", release: "v1", port: 3001, pid: undefined, chaos: undefined },
      { pool: "green", release: "v2", port: 3002, pid: 42, chaos: undefined },
    ],
    active: "green",
    health: { blue: "down", green: "up" },
    summary: { ...counts, inFlight: letters.length - ended.length },
    monitor,
    recent: monitor.recent(1_000),
    sockets: undefined,
    news: ["12:00:01 kill -9 of blue", "12:00:02 failover from blue to green"],
  };
}

function resultOf(n: number, letter: string): Result {
  const common = { n, id: `${n}`, method: "GET", dueAt: 0, latencyMs: 2, status: 200 } as const;
  return letter === "x"
    ? { ...common, pool: undefined, ok: false, kind: "status", detail: "502" }
    : { ...common, pool: letter === "B" ? "blue" : "green", ok: true };
}

function drawn(scene: Scene, columns: number, rows: number): string[] {
  return drawScene(scene, { columns, rows }).map((line) => render(line, columns, false));
}
