import { Latency } from "./latency.ts";
import type { FailureKind, Job } from "./strict-connection.ts";

/** What became of one request. */
export type Result = {
  readonly n: number;
  readonly id: string;
  readonly method: "GET" | "POST";
  /** Milliseconds since the epoch when it was due. */
  readonly dueAt: number;
  /** From the moment it was due, so that waiting for a free connection counts. */
  readonly latencyMs: number;
  /** Undefined where no complete answer came. */
  readonly status: number | undefined;
  /** The answer's `X-App-Pool`. */
  readonly pool: string | undefined;
} & (
  | { readonly ok: true }
  | { readonly ok: false; readonly kind: FailureKind; readonly detail: string }
);

export interface Count {
  readonly issued: number;
  readonly ok: number;
  readonly failed: number;
}

/** Every request accounted for: `issued` = `ok` + `failed` + `inFlight`. */
export interface Summary {
  readonly issued: number;
  readonly ok: number;
  readonly failed: number;
  /** Sent, and neither answered nor failed yet. */
  readonly inFlight: number;
  /** Due, but never sent, since all connections were taken. */
  readonly unsent: number;
  readonly byKind: Readonly<Partial<Record<FailureKind, number>>>;
  readonly byMethod: { readonly GET: Count; readonly POST: Count };
  /** Good answers by their `X-App-Pool`; those without one under `-`. */
  readonly byPool: Readonly<Record<string, number>>;
  /** The first 100. */
  readonly failures: readonly FailureReport[];
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Requests that took longer than a second. */
  readonly over1s: number;
  /** Kept-alive connections that the server closed while they were idle: allowed. */
  readonly idleCloses: number;
  /** Bytes that came while no request was under way: an answer to nothing. */
  readonly strayBytes: number;
}

export interface FailureReport {
  readonly id: string;
  readonly method: "GET" | "POST";
  /** ISO 8601, when the request was due. */
  readonly time: string;
  readonly latencyMs: number;
  readonly kind: FailureKind;
  readonly detail: string;
}

const MAX_REPORTS = 100;

/** Counts results as they come. */
export class Tally {
  readonly #methods = { GET: newCount(), POST: newCount() };
  readonly #kinds = new Map<FailureKind, number>();
  readonly #pools = new Map<string, number>();
  readonly #failures: FailureReport[] = [];
  readonly #latency = new Latency();
  #over1s = 0;
  #idleCloses = 0;
  #strayBytes = 0;

  issued(job: Job): void {
    this.#methods[job.method].issued++;
  }

  idleLoss(bytes: number): void {
    if (bytes === 0) this.#idleCloses++;
    this.#strayBytes += bytes;
  }

  add(result: Result): void {
    this.#latency.record(result.latencyMs);
    if (result.latencyMs > 1_000) this.#over1s++;
    if (result.ok) {
      this.#methods[result.method].ok++;
      increment(this.#pools, result.pool ?? "-");
      return;
    }
    this.#methods[result.method].failed++;
    increment(this.#kinds, result.kind);
    if (this.#failures.length >= MAX_REPORTS) return;
    const { id, method, latencyMs, kind, detail } = result;
    const time = new Date(result.dueAt).toISOString();
    this.#failures.push({ id, method, time, latencyMs: rounded(latencyMs), kind, detail });
  }

  summary(unsent: number): Summary {
    const { GET, POST } = this.#methods;
    const issued = GET.issued + POST.issued;
    const ok = GET.ok + POST.ok;
    const failed = GET.failed + POST.failed;
    return {
      issued,
      ok,
      failed,
      inFlight: issued - ok - failed,
      unsent,
      byKind: Object.fromEntries(this.#kinds),
      byMethod: { GET: { ...GET }, POST: { ...POST } },
      byPool: Object.fromEntries(this.#pools),
      failures: [...this.#failures],
      latencyMs: {
        p50: rounded(this.#latency.percentile(0.5)),
        p99: rounded(this.#latency.percentile(0.99)),
        max: rounded(this.#latency.maxMs),
      },
      over1s: this.#over1s,
      idleCloses: this.#idleCloses,
      strayBytes: this.#strayBytes,
    };
  }
}

function newCount() {
  return { issued: 0, ok: 0, failed: 0 };
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
