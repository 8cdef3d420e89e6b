import type { GroupState } from "./group-state.ts";
import type { GroupSpec, ServerSpec } from "./spec.ts";
import { orderServer } from "./drain.ts";
import { bringUp } from "./health.ts";
import type { ServerState } from "./server.ts";

/** The servers of a group as it starts or is reloaded, by index; known ones keep what is known. */
export function createServers(
  spec: GroupSpec,
  now: number,
  previous: GroupState | undefined,
): readonly ServerState[] {
  const known = new Map(previous?.servers.map((server) => [server.spec.key, server]));
  const specs = spec.pools.flatMap((pool) => pool.servers);
  return specs.map((one, index) => {
    const before = known.get(one.key);
    return before === undefined
      ? newServer(one, index, now)
      : keepServer({ ...before, spec: one, index }, before.spec, spec, now);
  });
}

function newServer(spec: ServerSpec, index: number, now: number): ServerState {
  return {
    index,
    spec,
    admin: spec.down ? "maint" : "ready",
    drainUntil: undefined,
    health: { status: "up", since: now, reason: "has not failed yet" },
    strikes: [],
    trialAt: undefined,
    generation: 0,
  };
}

function keepServer(
  server: ServerState,
  before: ServerSpec,
  group: GroupSpec,
  now: number,
): ServerState {
  const { spec } = server;
  // An edited `down` is the operator's latest word, an unedited one is not.
  const admin = spec.down === before.down ? server.admin : spec.down ? "maint" : "ready";
  const kept = orderServer(server, admin, now + group.drain.tunnelsMs);
  const neverOut = spec.maxFails === 0 || countServers(group) === 1;
  const isOut = kept.health.status === "down" || kept.health.status === "suspect";
  return neverOut && isOut ? bringUp(kept, "is never taken out", now) : kept;
}

function countServers({ pools }: GroupSpec): number {
  return pools.reduce((sum, pool) => sum + pool.servers.length, 0);
}
