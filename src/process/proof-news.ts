import { createHmac } from "node:crypto";
import type { ExchangeRecord } from "../events.ts";

/** What became of a request by which the gateway proves a switch, as the worker saw it that served it. */
export interface ProofNews {
  readonly requestId: string;
  /** The pools that it met, in order; the last one answered, or failed. */
  readonly pools: readonly string[];
  readonly release: string | undefined;
  readonly status: number;
  /** Why the gateway itself answered, in words. */
  readonly why: string | undefined;
}

/** With which the ids of such requests begin: no client can know it, and all workers do. */
export function proofPrefix(cookieKey: Uint8Array): string {
  const secret = createHmac("sha256", cookieKey).update("proof").digest("hex").slice(0, 16);
  return `understudy-proof-${secret}-`;
}

export function proofNews({
  requestId,
  attempts,
  release,
  status,
  error,
  why,
}: ExchangeRecord): ProofNews {
  const pools = attempts.map(({ pool }) => pool);
  const own = error === undefined ? undefined : (why ?? error);
  return { requestId, pools, release, status, why: own };
}
