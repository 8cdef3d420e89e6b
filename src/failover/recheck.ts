import type { Policy } from "./policy.ts";
import { isTriedLive, type ServerState } from "./server.ts";

/** A background check that a server is due: when (monotonic ms) and what it asks. */
export interface DueCheck {
  readonly at: number;
  /** A TCP connection; a `HEAD /` whose answer must not be a strike; an address. */
  readonly kind: "connect" | "request" | "resolve";
}

/** Milliseconds between two lookups of a name that has no address. */
export const RESOLVE_PAUSE_MS = 2000;

/** Milliseconds between two checks of each server that is out while none serves well. */
const ALL_DOWN_PAUSE_MS = 250;

const LONGEST_PAUSE_MS = 30_000;

/** Milliseconds to wait after so many failed checks: `fail_timeout`, then doubled up to 10 times. */
export function pauseAfter(checks: number, failTimeoutMs: number): number {
  if (checks === 0) return failTimeoutMs;
  const longest = Math.max(failTimeoutMs, Math.min(10 * failTimeoutMs, LONGEST_PAUSE_MS));
  return Math.max(ALL_DOWN_PAUSE_MS, Math.min(failTimeoutMs * 2 ** checks, longest));
}

/** The same server, checked soon: while a whole group is down, every moment counts. */
export function hurry(server: ServerState, policy: Policy, now: number): ServerState {
  const { health } = server;
  const soon = now + ALL_DOWN_PAUSE_MS;
  if (health.status !== "down" && health.status !== "unresolved") return server;
  if (health.checkAt <= soon) return server;
  if (health.status === "down" && isTriedLive(server, policy)) return server;
  return { ...server, health: { ...health, checkAt: soon } };
}
