import type { GatewayEvent } from "../events.ts";
import type { GroupState, PoolState, Step } from "./group-state.ts";
import { type Admin, counterpart, type ServerState } from "./server.ts";

/** Whether an operator took the server or its pool out of service, and what is bound to it may stay. */
export function isDraining({ pools }: GroupState, server: ServerState): boolean {
  if (server.drainUntil !== undefined) return true;
  return pools.find((pool) => pool.name === server.spec.pool)?.drainUntil !== undefined;
}

/** What a change means for the long-lived connections of a server. */
export type Fate = "as-before" | "leave" | "stay" | "break";

/** They leave when a drain has ended by time, stay when it is taken back, break with their server. */
export function fateOf(before: GroupState, after: GroupState, server: ServerState): Fate {
  const was = counterpart(before.servers, server);
  if (was === undefined) return "as-before";
  if (server.health.status === "down" && was.health.status !== "down") return "break";
  if (isInService(after, server)) return isInService(before, was) ? "as-before" : "stay";
  return isDraining(before, was) && !isDraining(after, server) ? "leave" : "as-before";
}

/**
 * Until when what is bound to a server may stay that the configuration takes out at `now`: for a drain
 * as behind a switch, or to the end of the one that is under way or over.
 */
export function staysUntil(state: GroupState, server: ServerState, now: number): number {
  const pool = state.pools.find(({ name }) => name === server.spec.pool);
  const hasDrained = server.admin !== "ready" && server.drainUntil === undefined;
  if (hasDrained || pool?.isDrained === true) return now;
  const until = now + state.spec.drain.tunnelsMs;
  return Math.min(server.drainUntil ?? until, pool?.drainUntil ?? until);
}

function isInService({ active }: GroupState, { admin, spec }: ServerState): boolean {
  return admin === "ready" && spec.pool === active;
}

/** A switch takes this pool out. */
export function startDrain(
  pools: readonly PoolState[],
  name: string,
  until: number,
): readonly PoolState[] {
  return pools.map((pool) => (pool.name === name ? { ...pool, drainUntil: until } : pool));
}

/** The active pool does not drain, whatever was ordered before. */
export function stopDrain(pools: readonly PoolState[], active: string): readonly PoolState[] {
  return pools.map((pool) => {
    const isLeft = pool.isDrained || pool.drainUntil !== undefined;
    const isBack = pool.name === active && isLeft;
    return isBack ? { ...pool, drainUntil: undefined, isDrained: false } : pool;
  });
}

/** The server as an operator wants it; from one way of being out to another its drain goes on. */
export function orderServer(server: ServerState, admin: Admin, until: number): ServerState {
  const wasReady = server.admin === "ready";
  const drainUntil = admin === "ready" ? undefined : wasReady ? until : server.drainUntil;
  return { ...server, admin, drainUntil };
}

/** When the drains end that are under way. */
export function drainEnds({ pools, servers }: GroupState): readonly (number | undefined)[] {
  return [...pools, ...servers].map(({ drainUntil }) => drainUntil);
}

/** The group without the drains whose time has come. */
export function endDrains(state: GroupState, now: number): Step {
  const isOver = ({ drainUntil }: { readonly drainUntil: number | undefined }) =>
    drainUntil !== undefined && drainUntil <= now;
  const happened = [
    ...state.pools.filter(isOver).map(({ name }) => drained(state, { pool: name })),
    ...state.servers.filter(isOver).map((server) => drained(state, serverOf(server))),
  ];
  if (happened.length === 0) return { state, happened };
  const pools = state.pools.map((pool) =>
    isOver(pool) ? { ...pool, drainUntil: undefined, isDrained: true } : pool,
  );
  const servers = state.servers.map((server) =>
    isOver(server) ? { ...server, drainUntil: undefined } : server,
  );
  return { state: { ...state, pools, servers }, happened };
}

function serverOf({ spec }: ServerState) {
  return { pool: spec.pool, server: spec.address };
}

function drained(
  { spec }: GroupState,
  what: { readonly pool: string; readonly server?: string },
): GatewayEvent {
  const reason = "the time for what was bound to it is up";
  return { type: "drained", group: spec.name, ...what, reason };
}
