import type { BurnSpeed } from "../events.ts";
import { type Bucket, Buckets, type Outcomes } from "./outcomes.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The time that a promise is kept over. */
const PERIOD_MS = 30 * DAY_MS;

interface BurnLimit {
  readonly speed: BurnSpeed;
  /** 1 = the budget would just be gone at the end of the period. */
  readonly rate: number;
  readonly longMs: number;
  /** Beyond the limit here, too: else it is over already. */
  readonly shortMs: number;
}

/** Google's multiwindow, multi-burn-rate alerts: https://sre.google/workbook/alerting-on-slos/ */
const BURN_LIMITS: readonly BurnLimit[] = [
  { speed: "fast", rate: 14.4, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { speed: "fast", rate: 6, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { speed: "slow", rate: 1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
];

/** Of fewer requests nothing is said: one failure among five would be an alarm every night. */
const LEAST_REQUESTS = 100;

/** A limit that is crossed. */
export interface Burn {
  /** So many times faster than the budget allows. */
  readonly rate: number;
  readonly limit: number;
  readonly overMs: number;
  readonly outcomes: Outcomes;
}

/** What outlives a restart. */
export interface KeptBudget {
  readonly minutes: readonly Bucket[];
  readonly hours: readonly Bucket[];
}

/** How a promise was kept over the last 30 days, and how fast it is being broken now. */
export class ErrorBudget {
  /** For windows of up to six hours, and for longer ones. */
  readonly #minutes: Buckets;
  readonly #hours: Buckets;

  constructor(kept: KeptBudget = { minutes: [], hours: [] }) {
    this.#minutes = new Buckets(MINUTE_MS, (6 * HOUR_MS) / MINUTE_MS, kept.minutes);
    this.#hours = new Buckets(HOUR_MS, PERIOD_MS / HOUR_MS, kept.hours);
  }

  get kept(): KeptBudget {
    return { minutes: this.#minutes.kept, hours: this.#hours.kept };
  }

  add(outcomes: Outcomes, at: number): void {
    if (outcomes.all === 0) return;
    this.#minutes.add(outcomes, at);
    this.#hours.add(outcomes, at);
  }

  /** Of the whole period. */
  period(at: number): Outcomes {
    return this.#hours.within(PERIOD_MS, at);
  }

  /** The part that is left of what may go wrong; below 0 the promise is broken. */
  left(objective: number, at: number): number {
    return 1 - burnRate(this.period(at), objective);
  }

  /** Undefined where it does not burn at that speed. */
  burns(speed: BurnSpeed, objective: number, at: number): Burn | undefined {
    for (const { rate: limit, longMs, shortMs } of BURN_LIMITS.filter(
      (one) => one.speed === speed,
    )) {
      const outcomes = this.#within(longMs, at);
      const rate = burnRate(outcomes, objective);
      const isNow = burnRate(this.#within(shortMs, at), objective) > limit;
      if (outcomes.all >= LEAST_REQUESTS && rate > limit && isNow) {
        return { rate, limit, overMs: longMs, outcomes };
      }
    }
    return undefined;
  }

  #within(ms: number, at: number): Outcomes {
    return (ms <= 6 * HOUR_MS ? this.#minutes : this.#hours).within(ms, at);
  }
}

/** The part that went wrong, of the part that may. */
function burnRate({ all, bad }: Outcomes, objective: number): number {
  return all === 0 ? 0 : bad / all / (1 - objective);
}
