import type { GatewayEvent } from "../events.ts";
import type { GroupOrders } from "./group-orders.ts";
import type { GroupState, PoolState, Standby, Step } from "./group-state.ts";
import type { GroupSpec } from "./spec.ts";
import { startDrain, stopDrain } from "./drain.ts";
import { seconds } from "./health.ts";
import type { Policy } from "./policy.ts";
import { hurry } from "./recheck.ts";
import { standByEvents } from "./stand-by-events.ts";
import { counterpart, describeServer, isServing, type ServerState } from "./server.ts";

/** What a group's state is made of; everything else in it follows from these. */
interface Basis {
  readonly spec: GroupSpec;
  readonly primary: string;
  readonly active: string;
  readonly orders: GroupOrders;
  readonly servers: readonly ServerState[];
}

/** What outlasts a pool's servers. */
type KnownPool = Omit<PoolState, "servers">;

/** The group that follows from changed servers or an ordered pool, and what happened on the way. */
export function settle(basis: Basis, before: GroupState, now: number): Step {
  const allDown = nothingServes(basis.servers);
  const { policy } = basis.spec;
  // The last one that stands may fail as well: then whoever can come back should, soon.
  const isPressing = !basis.servers.some(isSound);
  const servers = isPressing ? basis.servers.map((one) => hurry(one, policy, now)) : basis.servers;
  const pools = poolsOf({ ...basis, servers }, before.pools, now);
  const move = moveOf(basis, byPreference(pools, basis.primary), now);
  const state = assemble({ ...basis, servers, ...move?.to }, pools, allDown);
  const happened = [...changeEvents(before, state), ...(move === undefined ? [] : [move.event])];
  return { state, happened };
}

/** The same for a group that starts or is reloaded: nothing has happened, it is so. */
export function beginWith(basis: Basis, previous: GroupState | undefined, now: number): GroupState {
  const until = now + basis.spec.drain.tunnelsMs;
  const known = previous === undefined ? [] : startDrain(previous.pools, previous.active, until);
  const begun = assemble(basis, poolsOf(basis, known, now), nothingServes(basis.servers));
  return settle(begun, { ...begun, pools: known }, now).state;
}

/** The group of which all was known before: it is so, and nothing follows from it. */
export function restore(basis: Basis, known: readonly KnownPool[]): GroupState {
  return assemble(basis, poolsOf(basis, known, 0), nothingServes(basis.servers));
}

/** What a change of the group means for its servers, one by one and all together. */
export function changeEvents(before: GroupState, after: GroupState): readonly GatewayEvent[] {
  const ofServers = serverEvents(before, after);
  return [...ofServers, ...standByEvents(before, after), ...standingEvents(before, after)];
}

/** When the hold-down of a recovered, more preferred pool ends; undefined where none waits. */
export function failbackAt({ spec, active, pools }: GroupState): number | undefined {
  const times = waitingPools(spec.policy, active, pools).map(({ at }) => at);
  return times.length === 0 ? undefined : Math.min(...times);
}

interface Move {
  readonly to: Partial<Pick<GroupState, "primary" | "active">>;
  readonly event: GatewayEvent;
}

/** The move to another pool that is due: away from a dead one, or back to a preferred one. */
function moveOf(basis: Basis, pools: readonly PoolState[], now: number): Move | undefined {
  const { spec, active } = basis;
  const from = pools.find((pool) => pool.name === active);
  if (from?.servingSince === undefined) {
    const to = pools.find((pool) => pool.servingSince !== undefined);
    return from && to && moveAway(spec, pools, from, to);
  }
  const back = waitingPools(spec.policy, active, pools).find(({ at }) => at <= now);
  if (back === undefined) return undefined;
  const { holdDownMs } = spec.policy;
  const reason = `${back.pool.name} is available again${holdDownMs > 0 ? ` for ${seconds(holdDownMs)}` : ""}`;
  return {
    to: { active: back.pool.name },
    event: moved("failback", spec, from, back.pool, reason),
  };
}

function moveAway(
  spec: GroupSpec,
  pools: readonly PoolState[],
  from: PoolState,
  to: PoolState,
): Move {
  const type = pools.indexOf(to) < pools.indexOf(from) ? "failback" : "failover";
  const reason = `no server of ${from.name} serves: ${from.servers.map(describeServer).join(", ")}`;
  const stays = spec.policy.failback === "never" ? { primary: to.name } : {};
  return { to: { ...stays, active: to.name }, event: moved(type, spec, from, to, reason) };
}

function moved(
  type: "failover" | "failback",
  { name: group }: GroupSpec,
  from: PoolState,
  to: PoolState,
  reason: string,
): GatewayEvent {
  return { type, group, from: from.name, to: to.name, reason };
}

/** The pools preferred to the active one that serve again, and when they may take over. */
function waitingPools(policy: Policy, active: string, pools: readonly PoolState[]) {
  if (policy.failback !== "auto") return [];
  const ahead = pools.slice(0, rankOf(active, pools));
  return ahead.flatMap((pool) =>
    pool.servingSince === undefined ? [] : [{ pool, at: pool.servingSince + policy.holdDownMs }],
  );
}

function assemble(basis: Basis, written: readonly PoolState[], allDown: boolean): GroupState {
  const { spec, primary, active, orders, servers } = basis;
  const pools = byPreference(stopDrain(written, active), primary);
  const rank = rankOf(active, pools);
  const { recheck, failback } = spec.policy;
  // A recovery that only traffic can find needs the preferred pools to be asked first, for a trial.
  const ahead = recheck === "live" && failback === "auto" ? rank : 0;
  const rest = pools.filter((_, at) => at !== rank);
  const turns = [...pools.slice(0, ahead), ...pools.slice(rank, rank + 1), ...rest];
  return { spec, primary, active, orders, servers, pools, turns, ahead, allDown };
}

/** In the order written. */
function poolsOf(basis: Basis, before: readonly KnownPool[], now: number): readonly PoolState[] {
  return basis.spec.pools.map(({ name, cold }) => {
    const servers = basis.servers.filter((server) => server.spec.pool === name);
    const known = before.find((pool) => pool.name === name);
    const since = known?.servingSince ?? now;
    const servingSince = servers.some(isServing) ? since : undefined;
    const { drainUntil, isDrained = false } = known ?? {};
    const standby = standbyOf(cold, known?.standby, servingSince !== undefined);
    return { name, servers, servingSince, drainUntil, isDrained, standby };
  });
}

function standbyOf(cold: boolean, known: Standby = "asleep", serves: boolean): Standby {
  if (!cold) return "awake";
  return known === "booting" && serves ? "awake" : known;
}

/** Sorted stably: the primary, then the others as they stand. */
function byPreference(pools: readonly PoolState[], primary: string): readonly PoolState[] {
  const first = pools.filter((pool) => pool.name === primary);
  return [...first, ...pools.filter((pool) => pool.name !== primary)];
}

function rankOf(name: string, pools: readonly PoolState[]): number {
  return Math.max(
    0,
    pools.findIndex((pool) => pool.name === name),
  );
}

/** It serves, and not only because it is the last one that stands. */
function isSound(server: ServerState): boolean {
  const { maxFails, probe } = server.spec;
  if (probe !== undefined && server.probes.fails === probe.fall) return false;
  return isServing(server) && (maxFails === 0 || server.strikes.length < maxFails);
}

function nothingServes(servers: readonly ServerState[]): boolean {
  return servers.length > 0 && !servers.some(isServing);
}

function serverEvents(before: GroupState, after: GroupState): GatewayEvent[] {
  return after.servers.flatMap((server) => {
    const { spec, health } = server;
    const was = counterpart(before.servers, server);
    if (was === undefined || was.health.status === health.status) return [];
    const { pool, address } = spec;
    return [
      {
        type: `server-${health.status}` as const,
        group: after.spec.name,
        pool,
        server: address,
        reason: health.reason,
      },
    ];
  });
}

function standingEvents(
  before: GroupState,
  { spec, servers, allDown }: GroupState,
): GatewayEvent[] {
  if (before.allDown === allDown) return [];
  const type = allDown ? "all-down" : "group-recovered";
  const told = allDown ? servers : servers.filter(isServing);
  return [{ type, group: spec.name, reason: told.map(describeServer).join(", ") }];
}
