import type { GroupState, PoolState } from "./group-state.ts";
import type { ServerState } from "./server.ts";

/**
 * The cold standby that is to be started: nobody else can serve, and nobody else is about to. Undefined while none is
 * needed.
 */
export function neededStandby({ pools, spec }: GroupState): PoolState | undefined {
  const cold = new Set(spec.pools.filter((pool) => pool.cold).map(({ name }) => name));
  const others = pools.filter(({ standby }) => standby !== "asleep");
  if (!others.every(({ servers }) => servers.every(isLost))) return undefined;
  return pools.find(({ name, standby }) => cold.has(name) && standby !== "booting");
}

/** Whether a cold standby that is awake is of no use: another pool serves, and this one is not the primary. */
export function isSpare({ active, primary, pools, allDown }: GroupState, pool: PoolState): boolean {
  if (pool.standby !== "awake" || allDown || [active, primary].includes(pool.name)) return false;
  return pools.some(({ name, servingSince }) => name === active && servingSince !== undefined);
}

/** It serves nobody, or only because nobody else does. */
function isLost({ admin, health, probes, spec }: ServerState): boolean {
  if (admin !== "ready") return true;
  if (spec.probe !== undefined && probes.fails === spec.probe.fall) return true;
  return health.status === "down" || health.status === "unresolved";
}
