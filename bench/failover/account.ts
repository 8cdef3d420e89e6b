import type { Result } from "../../demo/tally.ts";
import type { Arrival } from "../app/app-process.ts";
import type { Played } from "./played.ts";

/** What clients went through in one scenario, in figures. */
export interface Account {
  readonly issued: number;
  readonly failedGets: number;
  /** POSTs that failed after they had reached an app, by the app's own note. */
  readonly failedPostsSent: number;
  /** POSTs that failed although no app noted them: they were lost with a server, or never sent. */
  readonly failedPostsUnseen: number;
  /** Failures that are an app's own 503, of all that failed. */
  readonly ownErrors: number;
  /** POSTs that apps saw more than once. */
  readonly postsTwice: number;
  /** Without an end when all the others had one. */
  readonly inFlight: number;
  readonly slowestMs: number;
  readonly over1s: number;
  /** From the fault to the first answer of the backup; the longest where there were several. */
  readonly backupServesMs: number | undefined;
  /** From the last recovery to the first answer of the primary. */
  readonly primaryServesMs: number | undefined;
  /** Answers of the primary while it was dead or lied, to requests made after that began. */
  readonly answeredByDead: number;
  /** Requests that were given to the primary meanwhile, as far as it could note them. */
  readonly askedDead: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

export function accountOf(played: Played): Account {
  const { results, summary, arrivals } = played;
  const seen = new Set([...arrivals.primary, ...arrivals.backup].map(({ id }) => id));
  const failed = results.filter(({ ok }) => !ok);
  const failedPosts = failed.filter(({ method }) => method === "POST");
  const spans = deadSpans(played);
  const inSpans = (time: number) => spans.some(({ from, to }) => time > from && time < to);
  return {
    issued: summary.issued,
    failedGets: failed.length - failedPosts.length,
    failedPostsSent: failedPosts.filter(({ id }) => seen.has(id)).length,
    failedPostsUnseen: failedPosts.filter(({ id }) => !seen.has(id)).length,
    ownErrors: failed.filter(isOwnError).length,
    postsTwice: countTwice([...arrivals.primary, ...arrivals.backup]),
    inFlight: summary.inFlight + summary.unsent,
    slowestMs: summary.latencyMs.max,
    over1s: summary.over1s,
    backupServesMs: longest(spans.map(({ from }) => untilServes(results, "backup", from))),
    primaryServesMs: primaryServes(played),
    answeredByDead: results.filter(
      (result) => result.pool === "primary" && inSpans(result.dueAt) && inSpans(endOf(result)),
    ).length,
    askedDead: arrivals.primary.filter(({ time }) => inSpans(time)).length,
  };
}

/** 503 with the mark of an app: not made up by the proxy. */
export function isOwnError({ status, pool }: Result): boolean {
  return status === 503 && pool !== undefined;
}

export function endOf({ dueAt, latencyMs }: Result): number {
  return dueAt + latencyMs;
}

/** When the primary was dead: from each fault, once done, to the recovery that follows. */
function deadSpans({ acts }: Played): readonly Span[] {
  return acts
    .filter(({ role }) => role === "fault")
    .map(({ ended }) => {
      const recovery = acts.find(({ role, began }) => role === "recovery" && began > ended);
      return { from: ended, to: recovery?.began ?? Number.POSITIVE_INFINITY };
    });
}

function primaryServes({ acts, results }: Played): number | undefined {
  const recovery = acts.findLast(({ role }) => role === "recovery");
  return recovery === undefined ? undefined : untilServes(results, "primary", recovery.ended);
}

/** Of requests made from then on, so that an answer that was late does not count. */
function untilServes(results: readonly Result[], pool: string, from: number): number | undefined {
  const ends = results
    .filter((result) => result.ok && result.pool === pool && endOf(result) > from)
    .map(endOf);
  return ends.length === 0 ? undefined : Math.min(...ends) - from;
}

function longest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 || known.length < times.length ? undefined : Math.max(...known);
}

function countTwice(arrivals: readonly Arrival[]): number {
  const posts = arrivals.filter(({ method }) => method === "POST").map(({ id }) => id);
  return posts.length - new Set(posts).size;
}
