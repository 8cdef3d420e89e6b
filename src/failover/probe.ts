import { bringUp, NO_PASS_YET, type Surroundings, takeDown, withHealth } from "./health.ts";
import type { Standby } from "./group-state.ts";
import type { ProbeTally, ServerState } from "./server.ts";

/** A probe that failed. */
export interface ProbeFailure {
  /** In words and numbers. */
  readonly reason: string;
  /** Nobody answered at all; else what answered was not what is expected. */
  readonly silent: boolean;
}

/**
 * Milliseconds from one probe of this server to the next but for jitter; undefined = none is due, as in a pool that
 * sleeps.
 */
export function probePace(
  { admin, health, spec }: ServerState,
  standby: Standby = "awake",
): number | undefined {
  const { probe } = spec;
  if (probe === undefined || admin === "maint" || standby === "asleep") return undefined;
  switch (health.status) {
    case "unresolved":
      return undefined;
    case "up":
      return probe.intervalMs;
    case "suspect":
      return health.checkAt === undefined ? probe.fastIntervalMs : 0;
    case "down":
    case "starting":
      return probe.fastIntervalMs;
  }
}

/** The server after a probe that passed and that began in this generation of it. */
export function passProbe(
  server: ServerState,
  generation: number,
  around: Surroundings,
): ServerState {
  const { probe } = server.spec;
  if (probe === undefined || generation !== server.generation) return server;
  const passes = Math.min(server.probes.passes + 1, probe.rise);
  const counted = tallied(server, { passes, fails: 0 });
  switch (server.health.status) {
    case "up":
    case "unresolved":
      return counted;
    case "suspect":
      return clear(counted, around.now);
    case "starting":
      return bringUp(counted, "passed its first probe", around.now);
    case "down":
      if (passes < probe.rise || isHeld(server, around)) return counted;
      return bringUp(counted, `passed ${inARow(passes)}`, around.now);
  }
}

/** The server after a probe that failed and that began in this generation of it. */
export function failProbe(
  server: ServerState,
  failure: ProbeFailure,
  generation: number,
  around: Surroundings,
): ServerState {
  const { health, spec } = server;
  if (spec.probe === undefined || generation !== server.generation) return server;
  const fails = Math.min(server.probes.fails + 1, spec.probe.fall);
  const counted = tallied(server, { passes: 0, fails });
  switch (health.status) {
    case "down":
    case "unresolved":
      return counted;
    case "starting": {
      const reason = `${NO_PASS_YET}: ${failure.reason}`;
      return reason === health.reason ? counted : withHealth(counted, { ...health, reason });
    }
    case "up":
    case "suspect":
      return doubt(counted, failure, spec.probe.fall, around);
  }
}

/** Strikes stand for as long as they do, unless the probe was made to judge them. */
function clear(server: ServerState, now: number): ServerState {
  const { health } = server;
  if (health.status === "suspect" && health.checkAt !== undefined) {
    return bringUp(server, "passed a probe", now);
  }
  return withHealth(server, { status: "up", since: now, reason: "passed a probe" });
}

function doubt(
  server: ServerState,
  failure: ProbeFailure,
  fall: number,
  around: Surroundings,
): ServerState {
  const { health, probes } = server;
  const failedIn = failure.silent ? "connect" : "answer";
  // Strikes have raised the question, and this is the answer.
  if (health.status === "suspect" && health.checkAt !== undefined) {
    const reason = `${health.reason}, then failed a probe: ${failure.reason}`;
    return takeDown(server, { reason, failedIn: health.failedIn, checks: 1 }, around);
  }
  const isOut = probes.fails === fall;
  const count = isOut ? inARow(fall) : `${probes.fails} of ${fall} probes`;
  const reason = `failed ${count}: ${failure.reason}`;
  if (isOut && !isKept(failure, around)) {
    return takeDown(server, { reason, failedIn, checks: 0 }, around);
  }
  const words = isOut ? `${reason}; serves on as the last one that answers` : reason;
  if (health.status === "suspect" && health.reason === words) return server;
  const { now: since } = around;
  return withHealth(server, {
    status: "suspect",
    since,
    reason: words,
    failedIn,
    checkAt: undefined,
  });
}

/** One that answers lives: what it says tells a client more than the gateway's 502 would. */
function isKept({ silent }: ProbeFailure, { policy, alone }: Surroundings): boolean {
  return !silent && alone && policy.keepLastStanding;
}

/** While no other server serves, better one that comes and goes than none. */
function isHeld({ health }: ServerState, { now, allDown }: Surroundings): boolean {
  return health.status === "down" && now < (health.heldUntil ?? now) && !allDown;
}

/** The same object where nothing new was learnt: most probes find what the last ones found. */
function tallied(server: ServerState, { passes, fails }: ProbeTally): ServerState {
  const { probes } = server;
  if (probes.passes === passes && probes.fails === fails) return server;
  return { ...server, probes: { passes, fails } };
}

function inARow(count: number): string {
  return count === 1 ? "a probe" : `${count} probes in a row`;
}
