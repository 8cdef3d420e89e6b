import { fileURLToPath } from "node:url";
import { z } from "zod";
import { run } from "./run.ts";

const AUTOCANNON = fileURLToPath(import.meta.resolve("autocannon"));
const PRINTED = z.object({
  duration: z.number(),
  requests: z.object({ total: z.number(), sent: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  errors: z.number(),
  timeouts: z.number(),
  mismatches: z.number(),
  non2xx: z.number(),
});

export interface AutocannonOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** At most so many requests a second. Default: as many as it can. */
  readonly ratePerSecond?: number;
  /** What every body must be. Default: anything. */
  readonly expectBody?: string;
}

/** What autocannon counted, and what it did not. */
export interface AutocannonCount {
  readonly seconds: number;
  readonly sent: number;
  readonly answered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Refused, reset, timed out. */
  readonly errors: number;
  readonly non2xx: number;
  /** Answers with another body than expected. */
  readonly mismatches: number;
  /**
   * Requests it sent and never spoke of again: a connection that the server ends in the middle of
   * an answer is nothing to autocannon. One for each connection may be under way at the end.
   */
  readonly lost: number;
}

export async function runAutocannon(options: AutocannonOptions): Promise<AutocannonCount> {
  const { port, path, connections, seconds, ratePerSecond, expectBody } = options;
  const flags = ["-j", "-n", "-c", `${connections}`, "-d", `${seconds}`, "-t", "8"];
  if (ratePerSecond !== undefined) flags.push("-R", `${ratePerSecond}`);
  if (expectBody !== undefined) flags.push("-E", expectBody);
  const url = `http://127.0.0.1:${port}${path}`;
  const output = await run([process.execPath, AUTOCANNON, ...flags, url]);
  // Where there is a rate, it takes the first second's worth for sent at the start; one is.
  const overcounted = Math.max(0, (ratePerSecond ?? 0) - connections);
  const printed = PRINTED.parse(JSON.parse(output));
  return countOf(printed, printed.requests.sent - overcounted, connections);
}

function countOf(
  printed: z.infer<typeof PRINTED>,
  sent: number,
  connections: number,
): AutocannonCount {
  const { requests, latency, errors, mismatches, non2xx, duration } = printed;
  const unspoken = sent - requests.total - errors;
  return {
    seconds: duration,
    sent,
    answered: requests.total,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    maxMs: latency.max,
    errors,
    non2xx,
    mismatches,
    lost: Math.max(0, unspoken - connections),
  };
}
