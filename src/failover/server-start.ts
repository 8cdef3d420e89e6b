import type { GroupState } from "./group-state.ts";
import type { GroupSpec, ServerSpec } from "./spec.ts";
import { orderServer } from "./drain.ts";
import { bringUp } from "./health.ts";
import { pauseAfter } from "./recheck.ts";
import type { ServerState } from "./server.ts";

/** The servers of a group as it starts or is reloaded, by index; known ones keep what is known. */
export function createServers(
  spec: GroupSpec,
  now: number,
  previous: GroupState | undefined,
): readonly ServerState[] {
  const known = new Map(previous?.servers.map((server) => [server.spec.key, server]));
  return serversOf(spec).map((one, index) => {
    const before = known.get(one.key);
    return before === undefined
      ? newServer(one, index, now)
      : keepServer({ ...before, spec: one, index }, before.spec, spec, now);
  });
}

/** What is known of a server, whatever the configuration says of it now. */
export type KnownServer = Omit<ServerState, "index" | "spec">;

/** The servers of which all was known before; others as they start, at time 0. */
export function restoreServers(
  spec: GroupSpec,
  known: ReadonlyMap<string, KnownServer>,
): readonly ServerState[] {
  return serversOf(spec).map((one, index) => {
    const facts = known.get(one.key);
    return facts === undefined ? newServer(one, index, 0) : restored(facts, one, index);
  });
}

function restored(known: KnownServer, spec: ServerSpec, index: number): ServerState {
  return { ...known, spec, index };
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
  const neverOut = spec.maxFails === 0 || serversOf(group).length === 1;
  const isOut = kept.health.status === "down" || kept.health.status === "suspect";
  return neverOut && isOut ? bringUp(kept, "is never taken out", now) : heed(kept, now);
}

/** Edited limits apply to what is known: no more strikes than now count, no check later than now due. */
function heed(server: ServerState, now: number): ServerState {
  const { spec, health } = server;
  const strikes = server.strikes.slice(-spec.maxFails);
  if (health.status !== "down") return { ...server, strikes };
  const checkAt = Math.min(health.checkAt, now + pauseAfter(health.checks, spec.failTimeoutMs));
  return { ...server, strikes, health: { ...health, checkAt } };
}

function serversOf({ pools }: GroupSpec): readonly ServerSpec[] {
  return pools.flatMap((pool) => pool.servers);
}
