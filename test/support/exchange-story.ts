import type { ExchangeRecord } from "../../src/events.ts";
import type { AttemptRecord } from "../../src/failover/attempt.ts";

/** An exchange in short: `GET / 200` (and `499 CLIENT_GONE`), then a line for each attempt. */
export function storyOf(record: ExchangeRecord): readonly string[] {
  const error = record.error === undefined ? "" : ` ${record.error}`;
  const closed = record.closedBy === undefined ? "" : `, closed by ${record.closedBy}`;
  const first = `${record.method} ${record.target} ${record.status}${error}${closed}`;
  return [first, ...record.attempts.map(attemptStory)];
}

/** The stories of exchanges, which may have ended in any order. */
export function storiesOf(records: readonly ExchangeRecord[]): readonly (readonly string[])[] {
  return records.map(storyOf).toSorted(byText);
}

/** For sorting stories. */
export function byText(a: readonly string[], b: readonly string[]): number {
  return a.join("\n") < b.join("\n") ? -1 : 1;
}

/** `blue head reset 502 counted next`, `green body ok 200 return`. */
function attemptStory(attempt: AttemptRecord): string {
  const { pool, reused, phase, cause = "ok", status = "-", counted, decision } = attempt;
  const words = [pool, reused && "reused", phase, cause, status, counted && "counted", decision];
  return words.filter((word) => word !== false).join(" ");
}
