import type { Pick } from "./choose.ts";
import type { GroupState, PoolState } from "./group-state.ts";
import { available, isHealthy, isTrial, type ServerState } from "./server.ts";

/**
 * The server for the next attempt of a request that is bound to one, or undefined where that one was
 * tried in this exchange or keeps nobody. What a client has there is nowhere else, so `max_conns`
 * turns away only those that are free to go elsewhere.
 */
export function chooseBound(
  state: GroupState,
  index: number,
  tried: readonly number[],
  now: number,
): Pick | undefined {
  const server = state.servers[index];
  if (server === undefined || tried.includes(index)) return undefined;
  if (!keepsBound(state, server, now)) return undefined;
  return { server, trial: isTrial(server, state.spec.policy, now) };
}

/**
 * Whether clients may stay with a server that they are bound to: while it answers, until a drain has
 * ended. A failback moves nobody: it comes by itself, and a healthy backup is no reason to lose a session.
 */
export function keepsBound(state: GroupState, server: ServerState, now: number): boolean {
  const { spec, pools } = state;
  const isLeft = pools.some((pool) => pool.name === server.spec.pool && hasDrained(pool, now));
  if (isLeft) return false;
  if (server.admin !== "drain") return available(server, spec.policy, now);
  return isHealthy(server) && isBefore(now, server.drainUntil);
}

function hasDrained({ isDrained, drainUntil }: PoolState, now: number): boolean {
  return isDrained || (drainUntil !== undefined && !isBefore(now, drainUntil));
}

function isBefore(now: number, until: number | undefined): boolean {
  return until !== undefined && now < until;
}
