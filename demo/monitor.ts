import type { Excuse, LoggedRequest } from "./access-lines.ts";
import { Latency } from "./latency.ts";
import type { Result } from "./tally.ts";

/** Who answered a request: blue, green, or nobody as it should. */
export type Letter = "B" | "G" | "x";

/** The last few seconds. */
export interface Recent {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** So many letters are kept: more than the largest terminal shows. */
const KEPT = 1 << 16;
const RECENT_MS = 5_000;

/** What the screen shows of the requests, kept up as they end. */
export class Monitor {
  readonly #letters: (Letter | undefined)[] = [];
  #firstAt: number | undefined;
  #recent: { readonly endedAt: number; readonly latencyMs: number }[] = [];
  retried = 0;
  rescued = 0;
  readonly excuses = new Map<Excuse, number>();

  /** `now` in milliseconds of any steady clock. */
  add(result: Result, now: number): void {
    this.#letters[result.n % KEPT] = letterOf(result);
    // The cell a whole memory ahead must not show what was there before.
    this.#letters[(result.n + KEPT / 2) % KEPT] = undefined;
    this.#firstAt ??= now;
    this.#recent.push({ endedAt: now, latencyMs: result.latencyMs });
  }

  note(lines: readonly LoggedRequest[]): void {
    for (const { decisions, excuse } of lines) {
      if (decisions.includes("rescue")) this.rescued++;
      else if (decisions.includes("next") || decisions.includes("redial")) this.retried++;
      if (excuse !== undefined) this.excuses.set(excuse, (this.excuses.get(excuse) ?? 0) + 1);
    }
  }

  /** Undefined for a request that has not ended. */
  letterAt(n: number): Letter | undefined {
    return this.#letters[n % KEPT];
  }

  recent(now: number): Recent {
    this.#recent = this.#recent.filter(({ endedAt }) => endedAt > now - RECENT_MS);
    const spanMs = Math.max(1_000, Math.min(RECENT_MS, now - (this.#firstAt ?? now)));
    const latency = new Latency();
    for (const { latencyMs } of this.#recent) latency.record(latencyMs);
    return {
      perSecond: this.#recent.length / (spanMs / 1000),
      p50Ms: latency.percentile(0.5),
      p99Ms: latency.percentile(0.99),
    };
  }
}

function letterOf(result: Result): Letter {
  if (!result.ok) return "x";
  return result.pool === "green" ? "G" : "B";
}
