import type { GatewayEvent } from "../events.ts";
import type { GroupState, PoolState } from "./group-state.ts";
import { describeServer } from "./server.ts";

/**
 * What becomes of pools that stand by: a group that serves well shows nothing of a backup that is dead, until it is
 * needed. Of the pool that serves a move tells, or `all-down`.
 */
export function standByEvents(before: GroupState, after: GroupState): GatewayEvent[] {
  return after.pools.flatMap((pool): GatewayEvent[] => {
    const { name, servers } = pool;
    const was = before.pools.find((one) => one.name === name);
    if (was?.standby === "booting" && pool.standby === "awake") {
      const reason = servers.map(describeServer).join(", ");
      return [{ type: "standby-ready", group: after.spec.name, pool: name, reason }];
    }
    if (was === undefined || name === before.active || name === after.active) return [];
    const type = isDead(pool) ? "pool-down" : "pool-up";
    if (isDead(pool) === isDead(was)) return [];
    const reason = servers.map(describeServer).join(", ");
    return [{ type, group: after.spec.name, pool: name, reason }];
  });
}

/** Of what nobody took out, and what need not run, nothing could serve. */
function isDead({ servers, standby }: PoolState): boolean {
  const wanted = servers.filter(({ admin, spec }) => admin === "ready" && !spec.down);
  const isGone = wanted.every(
    ({ health: { status } }) => status === "down" || status === "unresolved",
  );
  return standby === "awake" && wanted.length > 0 && isGone;
}
