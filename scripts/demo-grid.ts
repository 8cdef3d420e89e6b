import type { Recording } from "../demo/recording.ts";

export type Result = Recording["results"][number];

/** Where the grid lies; a column of it is a tenth of a second, from top to bottom. */
export interface Grid {
  readonly left: number;
  readonly top: number;
  readonly rows: number;
  readonly columns: number;
  readonly cell: number;
}

/** One cell for each request, in the order in which they were due. */
export function cellsOf(results: readonly Result[], { left, top, rows, cell }: Grid): string[] {
  const paths = new Map<string, string>();
  for (const { from, to, look } of runsOf(results, rows)) {
    const x = left + Math.floor(from / rows) * cell;
    const y = top + (from % rows) * cell;
    paths.set(look, (paths.get(look) ?? "") + box(x, y, cell, (to - from) * cell));
  }
  return [...paths].map(([look, path]) => `<path class="${look}" d="${path}"/>`);
}

/** The lines that cut the grid into cells. */
export function cutsOf({ left, top, rows, columns, cell }: Grid): string {
  const [width, height] = [columns * cell, rows * cell];
  const down = Array.from(
    { length: columns + 1 },
    (_, n) => `M${px(left + n * cell)} ${top}v${px(height)}`,
  );
  const across = Array.from(
    { length: rows + 1 },
    (_, n) => `M${left} ${px(top + n * cell)}h${px(width)}`,
  );
  return `<path class="cut" d="${[...down, ...across].join("")}"/>`;
}

/** The slowest answer of each column as a bar, the slowest of all `height` high. */
export function barsOf(
  results: readonly Result[],
  grid: Grid,
  bottom: number,
  height: number,
): string {
  const { left, rows, cell } = grid;
  const slowest: number[] = [];
  for (const [n, { latencyMs }] of results.entries()) {
    const column = Math.floor(n / rows);
    slowest[column] = Math.max(slowest[column] ?? 0, latencyMs);
  }
  const top = Math.max(...slowest);
  const bars = slowest.map((latencyMs, column) => {
    const high = Math.max(0.5, (latencyMs / top) * height);
    return box(left + column * cell, bottom - high, cell, high);
  });
  return `<path class="slow" d="${bars.join("")}"/>`;
}

/** At most two decimals, as short as it gets. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Requests of one look that stand above each other in a column: `from` <= n < `to`. */
function runsOf(results: readonly Result[], rows: number) {
  const runs: { from: number; to: number; look: string }[] = [];
  for (const [n, result] of results.entries()) {
    const look = lookOf(result);
    const last = runs.at(-1);
    if (last?.look === look && n % rows !== 0) last.to = n + 1;
    else runs.push({ from: n, to: n + 1, look });
  }
  return runs;
}

function lookOf({ pool }: Result): string {
  return pool === "blue" || pool === "green" ? pool : "failed";
}

function box(x: number, y: number, width: number, height: number): string {
  return `M${px(x)} ${px(y)}h${px(width)}v${px(height)}h${px(-width)}z`;
}
