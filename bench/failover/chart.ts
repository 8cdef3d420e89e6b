import type { PeerName } from "../rig/peer-description.ts";
import type { PeerResult, ScenarioResult } from "./failover-result.ts";

const WIDTH = 900;
const HEIGHT = 400;
const PLOT = { left: 60, right: 770, top: 50, bottom: 360 };
/** Milliseconds at the ends of the logarithmic axis. */
const LEAST_MS = 1;
const MOST_MS = 10_000;

/** Of the same lightness each, so that all read well on white and on black. */
const COLOURS: Readonly<Record<PeerName, string>> = {
  nginx: "#2e9e4f",
  haproxy: "#3b82d6",
  caddy: "#17a2b8",
  "http-proxy-3": "#b07d2b",
  undici: "#9a6bd0",
  understudy: "#e0457b",
};

/** A picture of one scenario: latency over time, all peers on one axis, crosses for failures. */
export function chartOf(scenario: ScenarioResult): string {
  const { id, title, durationMs, peers } = scenario;
  const x = (ms: number) => round(PLOT.left + (ms / durationMs) * (PLOT.right - PLOT.left));
  const played = peers.filter((result) => result.played);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
      `aria-label="${escapeXml(`${id}: ${title}`)}" font-family="sans-serif" font-size="12">`,
    STYLE,
    text(PLOT.left, 20, `${id}: ${title}`, 'class="ink" font-size="15"'),
    text(PLOT.left, 37, "slowest answer of each 0.1 s, by when it was due (ms); × = failed", MUTED),
    ...gridLines(durationMs, x),
    ...actMarks(played[0], x),
    ...played.map((result) => curveOf(result, x)),
    ...peers.map(legendLine),
    "</svg>\n",
  ].join("\n");
}

const STYLE =
  "<style>.ink{fill:#1f2328}.muted{fill:#656d76}.grid{stroke:#d0d7de}.act{stroke:#656d76}" +
  "@media(prefers-color-scheme:dark){.ink{fill:#e6edf3}.muted{fill:#9198a1}" +
  ".grid{stroke:#30363d}.act{stroke:#9198a1}}</style>";
const MUTED = 'class="muted"';

type X = (ms: number) => number;
type PlayedResult = Extract<PeerResult, { played: true }>;

function y(ms: number): number {
  const ratio = Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / Math.log(MOST_MS / LEAST_MS);
  return round(PLOT.bottom - Math.min(1, ratio) * (PLOT.bottom - PLOT.top));
}

function gridLines(durationMs: number, x: X): readonly string[] {
  const lines: string[] = [];
  for (let ms = LEAST_MS; ms <= MOST_MS; ms *= 10) {
    lines.push(lineOf(PLOT.left, y(ms), PLOT.right, y(ms), 'class="grid"'));
    const label = ms.toLocaleString("en");
    lines.push(text(PLOT.left - 8, y(ms) + 4, label, `${MUTED} text-anchor="end"`));
  }
  for (let ms = 0; ms <= durationMs; ms += 1_000) {
    const label = `${ms / 1_000}${ms === 0 ? " s" : ""}`;
    lines.push(text(x(ms), PLOT.bottom + 18, label, `${MUTED} text-anchor="middle"`));
  }
  return lines;
}

function actMarks(result: PlayedResult | undefined, x: X): readonly string[] {
  return (result?.series.acts ?? []).flatMap(({ at, label }) => [
    lineOf(x(at), PLOT.top, x(at), PLOT.bottom, 'class="act" stroke-dasharray="3 3"'),
    text(x(at) + 3, PLOT.top + 10, label, MUTED),
  ]);
}

function curveOf({ peer, series }: PlayedResult, x: X): string {
  const points = series.slowest.map(({ at, ms }) => `${x(at)},${y(ms)}`).join(" ");
  const width = peer === "understudy" ? 2.2 : 1.2;
  const curve = `<polyline points="${points}" fill="none" stroke-width="${width}"/>`;
  const crosses = series.failed.map(({ at, ms }) => {
    const [cx, cy] = [x(at), y(ms)];
    return `M${cx - 3} ${cy - 3}l6 6m-6 0l6-6`;
  });
  return `<g stroke="${COLOURS[peer]}">${curve}<path d="${crosses.join("")}" stroke-width="1.5"/></g>`;
}

function legendLine(result: PeerResult, row: number): string {
  const top = PLOT.top + 20 + row * 34;
  const left = PLOT.right + 12;
  const dash = `<path d="M${left} ${top - 4}h16" stroke="${COLOURS[result.peer]}" stroke-width="3"/>`;
  return [
    dash,
    text(left + 22, top, result.peer, 'class="ink"'),
    text(left + 22, top + 14, legendOf(result), MUTED),
  ].join("");
}

function legendOf(result: PeerResult): string {
  if (!result.played) return result.why;
  const { failedGets, failedPostsSent, failedPostsUnseen } = result.account;
  return `${failedGets + failedPostsSent + failedPostsUnseen} failed`;
}

function text(left: number, top: number, content: string, attributes: string): string {
  return `<text x="${left}" y="${top}" ${attributes}>${escapeXml(content)}</text>`;
}

function lineOf(x1: number, y1: number, x2: number, y2: number, attributes: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${attributes}/>`;
}

function escapeXml(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
