import { POSTS_NOTE } from "./acts.ts";
import type { Act } from "./acts.ts";
import type { Account, Ledger } from "./ledger.ts";
import type { FailureReport, Summary } from "./tally.ts";

/** An act as it went. */
export interface Played {
  readonly act: Act;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** From the deed to the gateway's word of the takeover or the return; undefined where none came. */
  readonly tookMs: number | undefined;
}

export interface ActReport extends Account {
  readonly act: string;
  readonly did: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** True where the deed had its effect: the gateway told it, and the pool it tells of answered. */
  readonly seen: boolean;
  /** Which pool took over, how long after the deed. */
  readonly tookOver: { readonly pool: string; readonly afterMs: number } | undefined;
}

/** Every request accounted for: `requests` = `ok` + `failed` + `inFlight`. */
export interface Report extends Account {
  readonly inFlight: number;
  /** Due, but never sent. */
  readonly unsent: number;
  readonly seconds: number;
  /** Lines of the gateway's access log, which has one for each request. */
  readonly logged: number;
  readonly postsNote: string;
  readonly acts: readonly ActReport[];
  /** The first 100. */
  readonly failures: readonly FailureReport[];
  /** What is not as it should be, in words; empty where all is well. */
  readonly problems: readonly string[];
}

export function actReportOf({ act, from, to, tookMs }: Played, ledger: Ledger): ActReport {
  const account = ledger.account(from, to);
  const pool = act.awaits === "failover" ? "green" : "blue";
  const told = act.awaits === undefined || tookMs !== undefined;
  const moved = act.awaits !== "failover" || account.retried + account.rescued > 0;
  const tookOver = tookMs === undefined ? undefined : { pool, afterMs: Math.round(tookMs) };
  const seen = told && moved && account.byPool[pool] > 0;
  return { act: act.act, did: act.did, from, to, seen, tookOver, ...account };
}

/** `played` in order; the log must be complete. */
export function reportOf(played: readonly Played[], summary: Summary, ledger: Ledger): Report {
  const acts = played.map((one) => actReportOf(one, ledger));
  const { inFlight, unsent, failures } = summary;
  const total = { ...ledger.account(0, Number.POSITIVE_INFINITY), requests: summary.issued };
  const spanMs = (played.at(-1)?.to ?? 0) - (played[0]?.from ?? 0);
  const counts = { inFlight, unsent, seconds: Math.round(spanMs / 100) / 10, logged: ledger.lines };
  const problems = [
    ...acts.filter(({ seen }) => !seen).map(({ act }) => `act ${act} had no effect`),
    ...problemsOf({ ...total, ...counts }),
  ];
  return { ...total, ...counts, postsNote: POSTS_NOTE, acts, failures, problems };
}

function problemsOf({
  requests,
  failed,
  unrepeatable,
  inFlight,
  unsent,
  logged,
}: Omit<Report, "acts" | "problems" | "postsNote" | "failures">): string[] {
  const lost = failed - unrepeatable;
  return [
    ...(lost > 0 ? [`${lost} requests failed that the policy promises to save`] : []),
    ...(inFlight > 0 ? [`${inFlight} requests were never answered`] : []),
    ...(unsent > 0 ? [`${unsent} requests could not be sent`] : []),
    ...(logged === requests ? [] : [`the access log has ${logged} lines of ${requests} requests`]),
  ];
}
