import type { Excuse } from "./access-lines.ts";
import type { Account } from "./ledger.ts";
import type { ActReport, Report } from "./report.ts";

/** One act in one line. */
export function actLine(report: ActReport): string {
  const { act, did, seen, tookOver, byPool, retried, rescued, latencyMs, failed } = report;
  const deed = tookOver?.pool === "blue" ? "serves again" : "took over";
  const took =
    tookOver === undefined ? "" : `${tookOver.pool} ${deed} after ${tookOver.afterMs} ms; `;
  const saved = retried + rescued === 0 ? "" : `${retried} retried, ${rescued} rescued; `;
  return (
    `${act.padEnd(8)} ${did}: ${seen ? "" : "NOT SEEN; "}${took}` +
    `blue ${byPool.blue}, green ${byPool.green}; ${saved}` +
    `p50 ${ms(latencyMs.p50)}, p99 ${ms(latencyMs.p99)}, max ${ms(latencyMs.max)}; failed ${failed}`
  );
}

/** The end of the story, or of a show, in a few lines. */
export function summaryLines(
  { requests, ok, failed, inFlight, posts, byPool, retried, rescued, latencyMs }: Sums,
  excuses: ReadonlyMap<Excuse, number>,
): string[] {
  return [
    `requests ${requests} = ok ${ok} + failed ${failed}${excuseText(excuses)} + in flight ${inFlight}`,
    `answered by blue ${byPool.blue}, green ${byPool.green}; ` +
      `POSTs ${posts}; retried ${retried}, rescued ${rescued}`,
    `p50 ${ms(latencyMs.p50)}, p99 ${ms(latencyMs.p99)}, max ${ms(latencyMs.max)}`,
  ];
}

type Sums = Omit<Account, "unrepeatable"> & Pick<Report, "inFlight">;

/** ` (3 POST already sent, 12 no server left)`, or nothing. */
export function excuseText(excuses: ReadonlyMap<Excuse, number>): string {
  const told = [...excuses].map(([excuse, count]) => `${count} ${excuse}`);
  return told.length === 0 ? "" : ` (${told.join(", ")})`;
}

/** `0.42 ms`, `12 ms`, `1.02 s` */
export function ms(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
