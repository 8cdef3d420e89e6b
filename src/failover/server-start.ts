import type { GroupState } from "./group-state.ts";
import type { GroupSpec, ServerSpec } from "./spec.ts";
import { orderServer } from "./drain.ts";
import { bringUp, NO_PASS_YET, SLEEPS } from "./health.ts";
import { pauseAfter } from "./recheck.ts";
import { type Health, NO_PROBES, type ServerState } from "./server.ts";

/** The servers of a group as it starts or is reloaded, by index; known ones keep what is known. */
export function createServers(
  spec: GroupSpec,
  now: number,
  previous: GroupState | undefined,
): readonly ServerState[] {
  const known = new Map(previous?.servers.map((server) => [server.spec.key, server]));
  const cold = new Set(spec.pools.filter((pool) => pool.cold).map(({ name }) => name));
  return serversOf(spec).map((one, index) => {
    const before = known.get(one.key);
    return before === undefined
      ? newServer(one, index, now, cold.has(one.pool))
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

function newServer(spec: ServerSpec, index: number, now: number, isCold = false): ServerState {
  return {
    index,
    spec,
    admin: spec.down ? "maint" : "ready",
    drainUntil: undefined,
    health: isCold ? asleep(now) : firstHealth(spec, now),
    strikes: [],
    trialAt: undefined,
    probes: NO_PROBES,
    falls: [],
    generation: 0,
  };
}

function asleep(since: number): Health {
  return { status: "starting", since, reason: SLEEPS };
}

function firstHealth({ probe }: ServerSpec, since: number): Health {
  if (probe?.gate === true) return { status: "starting", since, reason: NO_PASS_YET };
  return { status: "up", since, reason: "has not failed yet" };
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
  const probes = spec.probe === undefined ? NO_PROBES : server.probes;
  const kept = orderServer({ ...server, probes }, admin, now + group.drain.tunnelsMs);
  const { status } = kept.health;
  const isCold = group.pools.some((pool) => pool.cold && pool.name === spec.pool);
  const waits = status === "starting" && spec.probe?.gate !== true && !isCold;
  if (waits) return bringUp(kept, "is not asked for a probe any more", now);
  const neverOut = spec.maxFails === 0 || serversOf(group).length === 1;
  const isOut = status === "down" || status === "suspect";
  const byStrikes = spec.probe === undefined || kept.strikes.length > 0;
  if (neverOut && isOut && byStrikes) return bringUp(kept, "is never taken out", now);
  const isDoubted = status === "suspect" && kept.strikes.length === 0 && spec.probe === undefined;
  if (isDoubted) return bringUp(kept, "is not probed any more", now);
  return heed(kept, group, now);
}

/** Edited limits apply to what is known: no more strikes than now count, no check later than now due. */
function heed(server: ServerState, { policy }: GroupSpec, now: number): ServerState {
  const { spec, health } = server;
  const strikes = server.strikes.slice(-spec.maxFails);
  if (health.status !== "down") return { ...server, strikes };
  const heldUntil = policy.flap.changes === 0 ? undefined : health.heldUntil;
  const pause = pauseAfter(health.checks, spec.failTimeoutMs);
  const checkAt = Math.min(health.checkAt, Math.max(now + pause, heldUntil ?? 0));
  return { ...server, strikes, health: { ...health, heldUntil, checkAt } };
}

function serversOf({ pools }: GroupSpec): readonly ServerSpec[] {
  return pools.flatMap((pool) => pool.servers);
}
