import type { Result } from "../../../demo/tally.ts";
import type { Played } from "../../../bench/failover/played.ts";
import { SCENARIOS } from "../../../bench/failover/scenarios.ts";

const BEGAN = 1_000_000;

/** A good answer to the n-th request, which was due `at` milliseconds after the beginning. */
export function good(n: number, at: number, more: Partial<Result> = {}): Result {
  const common = { n, id: `r-${n}`, method: "GET", dueAt: BEGAN + at, latencyMs: 5 } as const;
  return { ...common, status: 200, pool: "primary", ...more, ok: true };
}

export type Fault = Omit<Extract<Result, { ok: false }>, "n" | "id" | "dueAt" | "ok">;

export function failed(n: number, at: number, fault: Partial<Fault> = {}): Result {
  const common = { n, id: `r-${n}`, method: "GET", dueAt: BEGAN + at, latencyMs: 5 } as const;
  const end = { status: 502, pool: undefined, kind: "status", detail: "502" } as const;
  return { ...common, ...end, ...fault, ok: false };
}

/** A scenario in which the primary died at 2 s and came back at 6 s. */
export function played(id: string, results: readonly Result[], more: Partial<Played> = {}): Played {
  const scenario = SCENARIOS.find((one) => one.id === id);
  if (scenario === undefined) throw new Error(`no scenario ${id}`);
  const method = (name: string) => results.filter((result) => result.method === name);
  const count = (name: string) => ({
    issued: method(name).length,
    ok: method(name).filter(({ ok }) => ok).length,
    failed: method(name).filter(({ ok }) => !ok).length,
  });
  const failures = results.filter(({ ok }) => !ok).length;
  return {
    scenario,
    peer: "understudy",
    began: BEGAN,
    acts: [
      { label: "fault", role: "fault", began: BEGAN + 2_000, ended: BEGAN + 2_010 },
      { label: "recovery", role: "recovery", began: BEGAN + 6_000, ended: BEGAN + 6_100 },
    ],
    results,
    summary: {
      issued: results.length,
      ok: results.length - failures,
      failed: failures,
      inFlight: 0,
      unsent: 0,
      byKind: {},
      byMethod: { GET: count("GET"), POST: count("POST") },
      byPool: {},
      failures: [],
      latencyMs: { p50: 5, p99: 5, max: Math.max(...results.map(({ latencyMs }) => latencyMs)) },
      over1s: results.filter(({ latencyMs }) => latencyMs > 1_000).length,
      idleCloses: 0,
      strayBytes: 0,
    },
    arrivals: { primary: [], backup: [] },
    autocannon: {
      seconds: 7,
      sent: 100,
      answered: 100,
      p50Ms: 1,
      p99Ms: 1,
      maxMs: 1,
      errors: 0,
      non2xx: 0,
      mismatches: 0,
      lost: 0,
    },
    tunnelsAlive: undefined,
    stallMs: 0,
    loggedAsSent: new Set(),
    ...more,
  };
}

/** The app's note of the n-th request, `at` milliseconds after the beginning. */
export function arrival(n: number, at: number, method: "GET" | "POST" = "GET") {
  return { time: BEGAN + at, method, id: `r-${n}` };
}
