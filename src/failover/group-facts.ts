import { keptPool } from "./group.ts";
import type { GroupOrders } from "./group-orders.ts";
import type { GroupState, PoolState } from "./group-state.ts";
import type { Health, ServerState } from "./server.ts";
import { type KnownServer, restoreServers } from "./server-start.ts";
import { restore } from "./settle.ts";
import type { GroupSpec } from "./spec.ts";

export type PoolFacts = Omit<PoolState, "servers">;

export interface ServerFacts extends Omit<ServerState, "index" | "spec"> {
  readonly key: string;
}

/**
 * What is known of a group beyond its configuration, as plain data: to be sent to another process or
 * written to a file. All numbers are finite. JSON leaves out what is undefined, and what is left out
 * is read as undefined.
 */
export interface GroupFacts {
  readonly group: string;
  readonly primary: string;
  readonly active: string;
  readonly orders: GroupOrders;
  readonly pools: readonly PoolFacts[];
  readonly servers: readonly ServerFacts[];
}

export function factsOf({ spec, primary, active, orders, pools, servers }: GroupState): GroupFacts {
  return {
    group: spec.name,
    primary,
    active,
    orders,
    pools: pools.map(poolFacts),
    servers: servers.map(serverFacts),
  };
}

/**
 * The state that the facts were taken from, where the configuration is still the same. Of another one
 * they apply to the servers and pools that it has; what they do not know is as at a start.
 */
export function withFacts(
  spec: GroupSpec,
  { primary, active, orders, pools, servers }: GroupFacts,
): GroupState {
  const known = new Map(servers.map((one) => [one.key, knownServer(one)]));
  const basis = {
    spec,
    primary: keptPool(spec, primary),
    active: keptPool(spec, active),
    orders: { ...orders, split: orders.split },
    servers: restoreServers(spec, known),
  };
  return restore(basis, pools);
}

/**
 * The group as it is known by now to who may go by an older configuration: `today` tells of the
 * servers and pools that both have, the others are as they were last.
 */
export function knownBy(old: GroupState, today: GroupFacts): GroupState {
  const before = factsOf(old);
  return withFacts(old.spec, {
    ...today,
    pools: [...today.pools, ...before.pools],
    servers: [...before.servers, ...today.servers],
  });
}

function poolFacts(pool: PoolState): PoolFacts {
  const { name, servingSince, drainUntil, isDrained, standby } = pool;
  return { name, servingSince, drainUntil, isDrained, standby };
}

function serverFacts({ spec, ...rest }: ServerState): ServerFacts {
  const { admin, drainUntil, health, strikes, trialAt, probes, falls, generation } = rest;
  return { key: spec.key, admin, drainUntil, health, strikes, trialAt, probes, falls, generation };
}

/** With every key of it, whatever JSON has left out. */
function knownServer(facts: ServerFacts): KnownServer {
  const { admin, drainUntil, health, strikes, trialAt, probes, falls, generation } = facts;
  const whole = wholeHealth(health);
  return { admin, drainUntil, health: whole, strikes, trialAt, probes, falls, generation };
}

function wholeHealth(health: Health): Health {
  if (health.status === "suspect") return { ...health, checkAt: health.checkAt };
  return health.status === "down" ? { ...health, heldUntil: health.heldUntil } : health;
}
