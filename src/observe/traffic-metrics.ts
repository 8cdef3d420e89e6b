import { Counter, type Registry } from "prom-client";
import { ATTEMPT_KIND_NAMES } from "./attempt-counts.ts";
import { BUCKET_SECONDS } from "./duration-histogram.ts";
import { histogramText } from "./histogram-text.ts";
import type { PoolTraffic } from "./pool-traffic.ts";
import { REQUEST_KINDS, type ReleaseCounts } from "./request-counts.ts";

const LOSS =
  "Without the last half second of workers that crashed (see understudy_worker_uncounted_seconds_total).";
const REQUEST = ["group", "pool", "release", "method", "code"] as const;
const ATTEMPT = ["group", "pool", "outcome", "cause"] as const;
const CODES = REQUEST_KINDS.length / new Set(REQUEST_KINDS.map(({ method }) => method)).size;

type PoolLabels = Pick<PoolTraffic, "group" | "pool">;

/** What clients met, as Prometheus reads it. */
export class TrafficMetrics {
  readonly #requests;
  readonly #attempts;
  readonly #retries;
  readonly #saved;

  constructor(registry: Registry) {
    const counter = <Label extends string>(
      name: string,
      help: string,
      labelNames: readonly Label[],
    ) =>
      new Counter<Label>({ name: `understudy_${name}`, help, labelNames, registers: [registry] });
    this.#requests = counter(
      "http_requests_total",
      `Requests answered, by the pool that had the last word. ${LOSS}`,
      REQUEST,
    );
    this.#attempts = counter(
      "attempts_total",
      "Tries of requests at the servers of a pool, and why they failed.",
      ATTEMPT,
    );
    this.#retries = counter(
      "retries_total",
      "Attempts at servers of a pool that another attempt followed, by its kind.",
      ["group", "pool", "kind"],
    );
    this.#saved = counter(
      "saved_requests_total",
      "Requests that a pool answered well after an attempt had failed: no client saw the failure.",
      ["group", "pool"],
    );
  }

  /** Every value anew. */
  set(traffic: readonly PoolTraffic[]): void {
    for (const metric of [this.#requests, this.#attempts, this.#retries, this.#saved]) {
      metric.reset();
    }
    for (const one of traffic) {
      const labels = { group: one.group, pool: one.pool };
      for (const release of one.releases) this.#setRequests(labels, release);
      // What no pool answered was sent to none.
      if (one.pool === "") continue;
      this.#setAttempts(labels, one);
      this.#saved.inc(labels, one.saved);
    }
  }

  /** All codes of each method that was seen: a counter that begins with its first error hides it from rate(). */
  #setRequests(labels: PoolLabels, { release, requests }: ReleaseCounts): void {
    for (const [kind, { method, code }] of REQUEST_KINDS.entries()) {
      const first = kind - (kind % CODES);
      if (requests.slice(first, first + CODES).every((count) => count === 0)) continue;
      this.#requests.inc({ ...labels, release, method, code }, requests[kind]);
    }
  }

  #setAttempts(labels: PoolLabels, { attempts }: PoolTraffic): void {
    this.#attempts.inc({ ...labels, outcome: "ok", cause: "" }, 0);
    for (const [number, { cause, decision }] of ATTEMPT_KIND_NAMES.entries()) {
      const count = attempts[number] ?? 0;
      if (decision !== "return") this.#retries.inc({ ...labels, kind: decision }, count);
      if (count === 0) continue;
      const ended = cause === "none" ? { outcome: "ok", cause: "" } : { outcome: "failed", cause };
      this.#attempts.inc({ ...labels, ...ended }, count);
    }
  }
}

/** How long requests took. */
export function durationText(traffic: readonly PoolTraffic[]): string {
  return histogramText({
    name: "understudy_http_request_duration_seconds",
    help: "From the first byte of a request to the last of its answer; tunnels and event streams are not in it.",
    ends: BUCKET_SECONDS,
    series: traffic.map(({ group, pool, seconds, durationsSumMs }) => ({
      labels: { group, pool },
      counts: seconds,
      sum: durationsSumMs / 1000,
    })),
  });
}
