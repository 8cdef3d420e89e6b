import type { Door, Share } from "../failover/group-orders.ts";
import type { GroupState, PoolState } from "../failover/group-state.ts";
import { available, type ServerState } from "../failover/server.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { GroupView, LastProbeView, PoolView, ServerView, SloView } from "./api-schema.ts";
import type { ObjectiveView } from "../slo/service-levels.ts";
import { orderedOf } from "./ordered-words.ts";
import type { Control, LastProbe } from "./control.ts";

/** Both times of one moment, in milliseconds; states count in `now`, people in `wall`. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** What a group's view needs beside its state. */
export type Surroundings = Pick<
  Control,
  "loadOf" | "waitingOf" | "releaseOf" | "lastProbeOf" | "serviceLevels"
>;

/** A group as operators see it. */
export function viewGroup(state: GroupState, around: Surroundings, at: Moment): GroupView {
  const { spec, primary, active, orders, pools } = state;
  const promised = around.serviceLevels.of(spec.name);
  return {
    name: spec.name,
    primary,
    configured_primary: spec.primary,
    active,
    door: viewDoor(orders.door, at),
    waiting: around.waitingOf(spec.name),
    ...(orders.split !== undefined && { split: viewSplit(orders.split) }),
    ordered: [...orderedOf(state, at)],
    ...(promised.length > 0 && { slo: promised.map(viewObjective) }),
    pools: pools.map((pool) => viewPool(state, pool, around, at)),
  };
}

/** Whether a pool serves its group, for its applications; `none` = it is no pool of the group. */
export function failoverStatus({ pools, active }: GroupState, pool: string): string {
  if (pool === active) return "online";
  return pools.some(({ name }) => name === pool) ? "offline" : "none";
}

function viewObjective({ objective, target, underMs, outcomes, ...view }: ObjectiveView): SloView {
  return {
    objective,
    target,
    ...(underMs !== undefined && { under_ms: underMs }),
    requests: outcomes.all,
    bad: outcomes.bad,
    budget_left: Math.round(view.budgetLeft * 1e4) / 1e4,
    ...(view.burning !== undefined && { burning: view.burning }),
  };
}

function viewDoor(door: Door, at: Moment): GroupView["door"] {
  if (door.kind === "open") return { state: "open" };
  const since = iso(door.since, at);
  if (door.kind === "maintenance") return { state: "maintenance", since };
  return { state: "held", since, until: iso(door.until, at) };
}

function viewSplit(split: readonly Share[]): Readonly<Record<string, number>> {
  return Object.fromEntries(split.map(({ pool, weight }) => [pool, weight]));
}

export function viewPool(
  state: GroupState,
  pool: PoolState,
  around: Surroundings,
  at: Moment,
): PoolView {
  const { name, drainUntil } = pool;
  const release = around.releaseOf(state.spec.name, name);
  const servers = pool.servers.map((server) => viewServer(state, server, around, at));
  return {
    name,
    role: name === state.primary ? "primary" : "backup",
    standby: pool.standby,
    ...(release !== undefined && { release }),
    serving: name === state.active && servers.some((server) => server.available),
    ...(drainUntil !== undefined && { draining_until: iso(drainUntil, at) }),
    in_flight: servers.reduce((sum, server) => sum + server.in_flight, 0),
    tunnels: servers.reduce((sum, server) => sum + server.tunnels, 0),
    servers,
  };
}

function viewServer(
  { spec }: GroupState,
  server: ServerState,
  around: Surroundings,
  at: Moment,
): ServerView {
  const { health, admin, strikes } = server;
  const { inFlight, tunnels } = around.loadOf(spec.name, server.spec.key);
  const last = around.lastProbeOf(spec.name, server.spec.key);
  return {
    address: server.spec.address,
    admin,
    health: health.status,
    available: available(server, spec.policy, at.now),
    reason: health.reason,
    since: iso(health.since, at),
    strikes: strikes.length,
    ...(last !== undefined && { last_probe: viewProbe(last, server, at) }),
    in_flight: inFlight,
    tunnels,
  };
}

function viewProbe(
  { at: ended, tookMs, failure }: LastProbe,
  { probes }: ServerState,
  at: Moment,
): LastProbeView {
  return {
    passed: failure === undefined,
    time: iso(ended, at),
    took_ms: Math.round(tookMs * 10) / 10,
    ...probes,
    ...(failure !== undefined && { reason: failure }),
  };
}

function iso(monotonic: number, { now, wall }: Moment): string {
  return isoUtc(wall - (now - monotonic));
}
