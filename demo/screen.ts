import type { App, Pool } from "./app-process.ts";
import { KEYS } from "./keys.ts";
import type { Letter, Monitor, Recent } from "./monitor.ts";
import { excuseText, ms } from "./report-text.ts";
import { socketItems } from "./socket-line.ts";
import type { SocketSummary } from "./socket-tally.ts";
import { flow } from "./styled-line.ts";
import type { Look, Piece, StyledLine } from "./styled-line.ts";
import type { Summary } from "./tally.ts";

/** All that one frame shows. */
export interface Scene {
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly apps: readonly Pick<App, "pool" | "release" | "port" | "pid" | "chaos">[];
  /** As the gateway tells: the pool that serves, and the health of each. */
  readonly active: string;
  readonly health: Readonly<Record<Pool, string>>;
  readonly summary: Pick<Summary, "issued" | "ok" | "failed" | "inFlight" | "unsent">;
  readonly monitor: Pick<Monitor, "letterAt" | "retried" | "rescued" | "excuses">;
  readonly recent: Recent;
  /** Undefined while no clients with lasting connections are open. */
  readonly sockets: SocketSummary | undefined;
  /** What happened, the latest last. */
  readonly news: readonly string[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const NEWS_LINES = 4;

/** The frame's lines, at most `rows`; the grid takes what room the rest leaves. */
export function drawScene(scene: Scene, { columns, rows }: Size): StyledLine[] {
  const roomy = rows >= 18;
  const gap: StyledLine[] = roomy ? [[]] : [];
  const above = [titleOf(scene), ...scene.apps.map((app) => serverLine(scene, app)), ...gap];
  const news = scene.news.slice(roomy ? -NEWS_LINES : -1).map(newsLine);
  const below = [
    ...gap,
    ...flow(statsOf(scene), columns),
    ...(scene.sockets === undefined ? [] : flow(socketItems(scene.sockets), columns)),
    ...(roomy ? padded(news, NEWS_LINES) : news),
    ...flow(KEYS.map(keyItem), columns),
  ];
  const gridRows = Math.max(1, rows - above.length - below.length);
  return [...above, ...gridOf(scene, columns - 2, gridRows), ...below].slice(0, rows);
}

function titleOf({ port, method }: Scene): StyledLine {
  return [
    { text: " understudy ", look: "strong" },
    { text: `http://127.0.0.1:${port}  ` },
    { text: `sending ${method}s`, look: method === "GET" ? "faint" : "warn" },
  ];
}

function serverLine({ active, health }: Scene, app: Scene["apps"][number]): StyledLine {
  const state = health[app.pool];
  const role = active === app.pool ? "serves" : "stands by";
  return [
    { text: " " },
    { text: ` ${app.pool === "blue" ? "B" : "G"} `, look: app.pool },
    { text: ` ${app.pool.padEnd(6)}` },
    { text: state.padEnd(8), look: state === "up" ? "good" : "bad" },
    { text: role.padEnd(11), look: active === app.pool ? "strong" : "faint" },
    { text: conditionOf(app).padEnd(14), look: isWell(app) ? "faint" : "bad" },
    { text: `:${app.port} ${app.release}`, look: "faint" },
  ];
}

function isWell({ pid, chaos }: Pick<App, "pid" | "chaos">): boolean {
  return pid !== undefined && chaos === undefined;
}

function conditionOf({ pid, chaos }: Pick<App, "pid" | "chaos">): string {
  if (pid === undefined) return "dead";
  if (chaos === "error") return "answers 503";
  return chaos === "timeout" ? "hangs" : `pid ${pid}`;
}

function statsOf({ summary, monitor, recent }: Scene): StyledLine[] {
  const { issued, ok, failed, inFlight } = summary;
  return [
    [{ text: `${recent.perSecond.toFixed(0)}/s` }],
    [{ text: `p50 ${ms(recent.p50Ms)}` }],
    [{ text: `p99 ${ms(recent.p99Ms)}` }],
    [{ text: `requests ${issued}` }],
    [{ text: `ok ${ok}` }],
    [
      {
        text: `failed ${failed}${excuseText(monitor.excuses)}`,
        look: failed === 0 ? "good" : "bad",
      },
    ],
    [{ text: `in flight ${inFlight}` }],
    [{ text: `retried ${monitor.retried}` }],
    [{ text: `rescued ${monitor.rescued}` }],
  ];
}

function newsLine(text: string): StyledLine {
  return [{ text: ` ${text}`, look: "faint" }];
}

function keyItem({ key, help }: (typeof KEYS)[number]): StyledLine {
  return [
    { text: key, look: "strong" },
    { text: ` ${help}`, look: "faint" },
  ];
}

function padded(lines: readonly StyledLine[], length: number): StyledLine[] {
  return Array.from({ length }, (_, n) => lines[n] ?? []);
}

/** Request n has its cell for as long as the grid holds it; full rows move up. */
function gridOf({ summary, monitor }: Scene, width: number, rows: number): StyledLine[] {
  const columns = Math.max(1, width);
  const total = summary.issued + summary.unsent;
  const firstRow = Math.max(0, Math.ceil(total / columns) - rows);
  return Array.from({ length: rows }, (_, row) => {
    const from = (firstRow + row) * columns;
    const cells = Array.from({ length: Math.min(columns, Math.max(0, total - from)) }, (_, n) =>
      monitor.letterAt(from + n),
    );
    return [{ text: " " }, ...runsOf(cells)];
  });
}

/** Neighbours that look alike in one piece, so that a frame stays small. */
function runsOf(cells: readonly (Letter | undefined)[]): Piece[] {
  const runs: { text: string; look: Look }[] = [];
  for (const cell of cells) {
    const look = cell === undefined ? "faint" : LOOKS[cell];
    const last = runs.at(-1);
    if (last?.look === look) last.text += cell ?? PENDING;
    else runs.push({ text: cell ?? PENDING, look });
  }
  return runs;
}

const PENDING = ".";

const LOOKS = { B: "blue", G: "green", x: "failed" } as const;
