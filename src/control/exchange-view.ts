import { z } from "zod";
import { isoUtc } from "../observe/log-time.ts";
import type { ExchangeStory } from "../process/exchange-story.ts";

const ms = z.number().describe("Milliseconds.");

const attemptView = z
  .object({
    n: z.int(),
    pool: z.string(),
    release: z.string().optional(),
    server: z.string(),
    addr: z.string().describe("Where it was dialled."),
    reused: z.boolean().describe("On a connection that was kept alive."),
    phase: z.string(),
    cause: z.string().optional().describe("Why it gave no usable answer."),
    status: z.int().optional(),
    sent_bytes: z.int(),
    received_bytes: z.int(),
    total_ms: ms,
    counted: z.boolean().describe("A strike against the server."),
    decision: z.string(),
    why: z.string(),
  })
  .meta({ id: "Attempt" });

export const exchangeView = z
  .object({
    request_id: z.string(),
    time: z.string().describe("When it began; ISO 8601, UTC."),
    method: z.string(),
    path: z.string(),
    group: z.string().optional(),
    pool: z.string().optional().describe("Who answered in the end."),
    release: z.string().optional(),
    status: z.int(),
    error: z.string().optional().describe("Where the gateway answered itself."),
    why: z.string().optional(),
    total_ms: ms,
    held_ms: ms,
    attempts: z.array(attemptView),
  })
  .meta({ id: "Exchange" });

export const exchangesView = z
  .object({ exchanges: z.array(exchangeView).describe("Oldest first.") })
  .meta({ id: "Exchanges" });

export type ExchangeView = z.infer<typeof exchangeView>;
export type AttemptView = z.infer<typeof attemptView>;

export function viewExchange(story: ExchangeStory): ExchangeView {
  const { requestId, startedAt, target, requestTimeMs, heldMs, attempts } = story;
  const { method, group, pool, release, status, error, why } = story;
  return {
    request_id: requestId,
    time: isoUtc(startedAt),
    method,
    path: target,
    ...(group !== undefined && { group }),
    ...(pool !== undefined && { pool }),
    ...(release !== undefined && { release }),
    status,
    ...(error !== undefined && { error }),
    ...(why !== undefined && { why }),
    total_ms: rounded(requestTimeMs),
    held_ms: rounded(heldMs),
    attempts: attempts.map((one) => attemptView.parse(one)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
