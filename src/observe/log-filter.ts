import type { ExchangeRecord } from "../events.ts";
import { createRouter } from "../routing/router.ts";

export interface LogFilter {
  /** Paths, each with all below it. */
  readonly skip: readonly string[];
  /** The part of the others that is logged, 0 to 1. */
  readonly sample: number;
}

/**
 * Whether an exchange is logged. Whatever somebody may look for at night always is: an answer of
 * 5xx, one that the gateway itself wrote, one that took a second attempt.
 */
export function logFilter(
  { skip, sample }: LogFilter,
  random: () => number,
): (record: ExchangeRecord) => boolean {
  const skipped = createRouter(
    skip.map((path) => ({ route: { host: undefined, path }, target: true })),
  );
  return (record) =>
    isNotable(record) ||
    (skipped.find("", record.target) === undefined && (sample === 1 || random() < sample));
}

function isNotable({ status, error, attempts }: ExchangeRecord): boolean {
  return status >= 500 || error !== undefined || attempts.length > 1;
}
