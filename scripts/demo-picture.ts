import { Latency } from "../demo/latency.ts";
import type { Recording } from "../demo/recording.ts";
import { ms } from "../demo/report-text.ts";
import { barsOf, cellsOf, cutsOf, px } from "./demo-grid.ts";
import type { Grid, Result } from "./demo-grid.ts";

const WIDTH = 860;
const MARGIN = 16;
const GRID_TOP = 104;
const BARS = 44;
const COLUMNS_PER_SECOND = 10;

/** What was done in each act, short enough to stand above it. */
const DEEDS: Readonly<Record<string, string>> = {
  calm: "all is well",
  kill: "kill -9 blue",
  revive: "start blue",
  "503": "blue: 503s",
  "503-end": "503s end",
  hang: "blue hangs",
  "hang-end": "hang ends",
};

const STYLE = `<style>
svg { --page: #fff; --ink: #1f2328; --faint: #59636e; --blue: #2563c9; --green: #5cc47c; --failed: #d1242f; --good: #1a7f37; --slow: #b8780a }
@media (prefers-color-scheme: dark) {
svg { --page: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --blue: #3f7fe8; --green: #7ee2a0; --failed: #ff5c57; --good: #3fb950; --slow: #d29922 }
}
text { font: 11px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--faint) }
.title { font-size: 18px; font-weight: 600; fill: var(--ink) }
.deed { font-weight: 600; fill: var(--ink) }
.sums { font-size: 13px; fill: var(--ink) }
.page { fill: var(--page) }
.blue { fill: var(--blue) } .green { fill: var(--green) } .failed { fill: var(--failed) } .slow { fill: var(--slow) }
.good { fill: var(--good) } .bad { fill: var(--failed) }
.cut { stroke: var(--page); stroke-width: 0.9; fill: none }
.mark { stroke: var(--faint); stroke-width: 1; fill: none; stroke-dasharray: 2 2 }
</style>`;

/** A recorded run as an SVG: time runs to the right, one cell is one request. */
export function pictureOf(recording: Recording): string {
  const results = recording.results.toSorted((a, b) => a.n - b.n);
  const grid = gridFor(results, recording.ratePerSecond);
  const gridBottom = GRID_TOP + grid.rows * grid.cell;
  const barsBottom = gridBottom + 8 + BARS;
  const size = `${WIDTH} ${px(barsBottom + 72)}`;
  const marks = recording.acts.flatMap((act) =>
    markOf(act, MARGIN + (act.from - (results[0]?.dueAt ?? 0)) * pixelsPerMs(grid), barsBottom),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" width="${WIDTH}" role="img">`,
    ...titleOf(recording),
    ...cellsOf(results, grid),
    cutsOf(grid),
    barsOf(results, grid, barsBottom, BARS),
    ...marks,
    ...footerOf(recording, results, barsBottom),
    "</svg>\n",
  ].join("\n");
}

function gridFor(results: readonly Result[], ratePerSecond: number): Grid {
  const rows = Math.max(1, Math.round(ratePerSecond / COLUMNS_PER_SECOND));
  const columns = Math.max(1, Math.ceil(results.length / rows));
  return { left: MARGIN, top: GRID_TOP, rows, columns, cell: (WIDTH - 2 * MARGIN) / columns };
}

function pixelsPerMs({ cell }: Grid): number {
  return (cell * COLUMNS_PER_SECOND) / 1000;
}

function titleOf({ requests, failed }: Recording): string[] {
  const title = `${count(requests)} requests while blue is killed, answers 503 and hangs`;
  const look = failed === 0 ? "good" : "bad";
  return [
    `<title>${title}: ${failed} failed</title>`,
    STYLE,
    `<rect class="page" width="100%" height="100%" rx="8"/>`,
    `<text class="title" x="${MARGIN}" y="34">${title}: <tspan class="${look}">failed ${failed}</tspan></text>`,
  ];
}

/** A line where the act begins, and beside it what was done, who took over, how many were saved. */
function markOf(act: Recording["acts"][number], from: number, bottom: number): string[] {
  const x = Math.max(MARGIN, from);
  const { tookOver, retried, rescued } = act;
  const texts = [
    ...(tookOver === undefined ? [] : [`${tookOver.pool} in ${shortMs(tookOver.afterMs)}`]),
    ...(retried + rescued === 0 ? [] : [`${retried + rescued} saved`]),
  ];
  return [
    `<path class="mark" d="M${px(x)} 52V${px(bottom)}"/>`,
    `<text class="deed" x="${px(x + 4)}" y="64">${DEEDS[act.act] ?? act.act}</text>`,
    ...texts.map((text, n) => `<text x="${px(x + 4)}" y="${79 + 14 * n}">${text}</text>`),
  ];
}

function footerOf(recording: Recording, results: readonly Result[], top: number): string[] {
  const { failed, latencyMs } = recording;
  const retried = recording.acts.reduce((sum, act) => sum + act.retried, 0);
  const rescued = recording.acts.reduce((sum, act) => sum + act.rescued, 0);
  const sums =
    `p50 ${ms(latencyMs.p50)}, p99 ${ms(latencyMs.p99)} (${ms(p99ButHang(recording, results))} ` +
    `but for the hang); ${retried} retried, ${rescued} rescued, failed ${failed}`;
  return [
    `<text x="${MARGIN}" y="${px(top + 14)}">slowest answer in each 0.1 s, up to ${ms(latencyMs.max)}</text>`,
    `<text class="sums" x="${MARGIN}" y="${px(top + 38)}">${sums}</text>`,
    ...legendOf(top + 48),
  ];
}

function legendOf(y: number): string[] {
  const items = [
    ["blue", MARGIN, "answered by blue"],
    ["green", MARGIN + 136, "answered by green"],
    ["failed", MARGIN + 280, "failed"],
  ] as const;
  return items.flatMap(([look, x, text]) => [
    `<rect class="${look}" x="${x}" y="${px(y)}" width="10" height="10"/>`,
    `<text x="${x + 15}" y="${px(y + 9.5)}">${text}</text>`,
  ]);
}

/** Of all requests that were due before the hang or after it was noticed. */
function p99ButHang({ acts }: Recording, results: readonly Result[]): number {
  const hang = acts.find(({ act }) => act === "hang");
  const [from, to] = [hang?.from ?? 0, (hang?.from ?? 0) + (hang?.tookOver?.afterMs ?? 0)];
  const latency = new Latency();
  for (const { dueAt, latencyMs } of results)
    if (dueAt < from || dueAt > to) latency.record(latencyMs);
  return latency.percentile(0.99);
}

/** `26 ms`, `1.1 s`: there is little room. */
function shortMs(value: number): string {
  return value < 1000 ? ms(value) : `${(value / 1000).toFixed(1)} s`;
}

/** 4142 -> 4,142 */
function count(n: number): string {
  return n.toLocaleString("en-US");
}
