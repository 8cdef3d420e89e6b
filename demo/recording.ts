import { z } from "zod";
import type { Entry } from "./ledger.ts";
import type { Report } from "./report.ts";

const RECORDING = z.object({
  ratePerSecond: z.number(),
  requests: z.number(),
  failed: z.number(),
  latencyMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  acts: z.array(
    z.object({
      act: z.string(),
      did: z.string(),
      /** Milliseconds since the epoch. */
      from: z.number(),
      tookOver: z.object({ pool: z.string(), afterMs: z.number() }).optional(),
      retried: z.number(),
      rescued: z.number(),
      latencyMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
    }),
  ),
  results: z.array(
    z.object({
      n: z.number(),
      method: z.string(),
      /** Milliseconds since the epoch when it was due. */
      dueAt: z.number(),
      latencyMs: z.number(),
      /** The pool that answered; undefined where the request failed. */
      pool: z.string().optional(),
    }),
  ),
});

/** A story with every single request, as the picture is drawn from it. */
export type Recording = z.infer<typeof RECORDING>;

export function recordingOf(
  report: Report,
  entries: readonly Entry[],
  ratePerSecond: number,
): string {
  const { requests, failed, latencyMs, acts } = report;
  const results = entries.map(({ result }) => ({
    n: result.n,
    method: result.method,
    dueAt: result.dueAt,
    latencyMs: result.latencyMs,
    pool: result.ok ? result.pool : undefined,
  }));
  const recording: Recording = {
    ratePerSecond,
    requests,
    failed,
    latencyMs,
    // Only what the picture shows, as readRecording would give it.
    acts: [...acts],
    results,
  };
  return `${JSON.stringify(recording)}\n`;
}

/** Throws where it is none. */
export function readRecording(text: string): Recording {
  return RECORDING.parse(JSON.parse(text));
}
