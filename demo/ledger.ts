import type { LoggedRequest } from "./access-lines.ts";
import type { Pool } from "./app-process.ts";
import { Latency } from "./latency.ts";
import type { Result } from "./tally.ts";

/** One request that ended, from both sides: what the client saw and what the gateway logged. */
export interface Entry {
  readonly result: Result;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** Sums over some requests. */
export interface Account {
  readonly requests: number;
  readonly ok: number;
  readonly failed: number;
  /** Of the failed, the POSTs that had been sent when their server failed: none of them is repeated. */
  readonly unrepeatable: number;
  readonly posts: number;
  readonly byPool: Readonly<Record<Pool, number>>;
  /** Sent to another server after a failure. */
  readonly retried: number;
  /** Taken off a server that went down while they waited on it. */
  readonly rescued: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Every request of the demo, and the log lines by request id. */
export class Ledger {
  readonly #entries: Entry[] = [];
  readonly #eventful = new Map<string, LoggedRequest>();
  #lines = 0;

  add(result: Result): void {
    this.#entries.push({ result, endedAt: result.dueAt + result.latencyMs });
  }

  note(lines: readonly LoggedRequest[]): void {
    this.#lines += lines.length;
    for (const line of lines) {
      if (line.decisions.length > 0) this.#eventful.set(line.requestId, line);
    }
  }

  /** Lines of the access log so far. */
  get lines(): number {
    return this.#lines;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Of the requests that ended in this span of time: `from` <= end < `to`. */
  account(from: number, to: number): Account {
    const entries = this.#entries.filter(({ endedAt }) => endedAt >= from && endedAt < to);
    const ok = entries.filter(({ result }) => result.ok);
    const latency = new Latency();
    for (const { result } of entries) latency.record(result.latencyMs);
    return {
      requests: entries.length,
      ok: ok.length,
      failed: entries.length - ok.length,
      unrepeatable: entries.filter(({ result }) => !result.ok && this.#wasSentOnce(result)).length,
      posts: entries.filter(({ result }) => result.method === "POST").length,
      byPool: { blue: countOf(ok, "blue"), green: countOf(ok, "green") },
      retried: entries.filter(({ result }) => this.#had(result, "next", "redial")).length,
      rescued: entries.filter(({ result }) => this.#had(result, "rescue")).length,
      latencyMs: {
        p50: rounded(latency.percentile(0.5)),
        p99: rounded(latency.percentile(0.99)),
        max: rounded(latency.maxMs),
      },
    };
  }

  #had({ id }: Result, ...decisions: readonly string[]): boolean {
    const logged = this.#eventful.get(id)?.decisions ?? [];
    return decisions.some((decision) => logged.includes(decision));
  }

  #wasSentOnce({ id }: Result): boolean {
    return this.#eventful.get(id)?.excuse === "POST already sent";
  }
}

function countOf(entries: readonly Entry[], pool: Pool): number {
  return entries.filter(({ result }) => result.pool === pool).length;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
