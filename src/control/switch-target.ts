import type { GroupState, PoolState } from "../failover/group-state.ts";
import { describeServer, isServing } from "../failover/server.ts";

/** Why this pool cannot take the clients over just now, in words; undefined where it can. */
export function whyNotServing(pool: PoolState): string | undefined {
  const { name, servers, standby } = pool;
  if (servers.some(isServing)) return undefined;
  if (servers.length === 0) return `${name} has no servers`;
  if (standby === "asleep") return `${name} is a cold standby that sleeps`;
  return `no server of ${name} serves: ${servers.map(describeServer).join(", ")}`;
}

export function poolOf({ pools }: GroupState, name: string): PoolState | undefined {
  return pools.find((pool) => pool.name === name);
}
