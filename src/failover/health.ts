import { orderServer } from "./drain.ts";
import type { Failure } from "./failure.ts";
import { fallOf } from "./flap.ts";
import { describeFailure } from "./failure.ts";
import type { Policy } from "./policy.ts";
import { pauseAfter, RESOLVE_PAUSE_MS } from "./recheck.ts";
import type { Admin, FailedIn, Health, ServerState } from "./server.ts";
import { isHealthy, isTrial, isTriedLive, NO_PROBES } from "./server.ts";

/** What the next state of a server depends on besides the server itself. */
export interface Surroundings {
  readonly policy: Policy;
  readonly now: number;
  /** True for the only server of its group. */
  readonly single: boolean;
  /** True where no other server of the group serves. */
  readonly alone: boolean;
  /** True where no server of the group serves, this one included. */
  readonly allDown: boolean;
  /** How long what is bound to a server that an operator takes out may stay. */
  readonly drainMs: number;
}

/** The server after a counted failure. */
export function strike(
  server: ServerState,
  failure: Failure,
  generation: number,
  around: Surroundings,
): ServerState {
  const { policy, now } = around;
  if (server.spec.maxFails === 0 || isLate(server, generation, policy)) return server;
  if (!isHealthy(server) && !mayFailTrial(server, policy)) return server;
  const strikes = [...standingStrikes(server, policy, now), now].slice(-server.spec.maxFails);
  const struck: ServerState = { ...server, strikes, trialAt: undefined };
  const reason = `${describeFailure(failure)} (${tally(struck, policy)})`;
  const failedIn = partOf(failure);
  if (server.health.status === "down" || goesDown(struck, around)) {
    return takeDown(struck, { reason, failedIn, checks: 0 }, around);
  }
  const checkAt = checkOfSuspect(struck, failure, around);
  return withHealth(struck, { status: "suspect", since: now, reason, failedIn, checkAt });
}

/** The server after a success while a trial was out. */
export function succeed(
  server: ServerState,
  generation: number,
  around: Surroundings,
): ServerState {
  if (isLate(server, generation, around.policy)) return server;
  return bringUp(server, "answered a request again", around.now);
}

/** The server after a request took its trial slot; the next trial waits for `fail_timeout` again. */
export function startTrial(server: ServerState, { policy, now }: Surroundings): ServerState {
  if (!isTrial(server, policy, now)) return server;
  const { health, spec } = server;
  if (health.status !== "down") return { ...server, trialAt: now };
  return { ...server, trialAt: now, health: { ...health, checkAt: now + spec.failTimeoutMs } };
}

function mayFailTrial(server: ServerState, policy: Policy): boolean {
  return server.health.status === "down" && isTriedLive(server, policy);
}

export function passCheck(server: ServerState, { now }: Surroundings): ServerState {
  return isChecked(server.health) ? bringUp(server, "passed a check", now) : server;
}

export function failCheck(server: ServerState, reason: string, around: Surroundings): ServerState {
  const { health } = server;
  if (!isChecked(health)) return server;
  switch (health.status) {
    case "unresolved":
      return failResolve(server, reason, around);
    case "suspect": {
      const both = `${health.reason}, then failed a check: ${reason}`;
      return takeDown(server, { reason: both, failedIn: health.failedIn, checks: 1 }, around);
    }
    case "down": {
      const checks = around.allDown ? health.checks : health.checks + 1;
      const { reason: first, failedIn } = health;
      return takeDown(server, { reason: first, failedIn, checks }, around);
    }
  }
}

export function failResolve(
  server: ServerState,
  reason: string,
  { now }: Surroundings,
): ServerState {
  const checkAt = now + RESOLVE_PAUSE_MS;
  const words = `has a name without an address: ${reason}`;
  return withHealth(server, { status: "unresolved", since: now, reason: words, checkAt });
}

export function resolve(server: ServerState, { now }: Surroundings): ServerState {
  if (server.health.status !== "unresolved") return server;
  if (server.spec.probe?.gate !== true)
    return bringUp(server, "has a name that resolves again", now);
  return withHealth(server, { status: "starting", since: now, reason: NO_PASS_YET });
}

export function setAdmin(server: ServerState, admin: Admin, around: Surroundings): ServerState {
  if (server.admin === admin) return server;
  const { now, drainMs } = around;
  const { health } = server;
  const ordered = orderServer(server, admin, now + drainMs);
  // Nobody checked it in maintenance, so what is known of it is old: ask at once.
  if (server.admin !== "maint") return ordered;
  if (health.status === "unresolved") return { ...ordered, health: { ...health, checkAt: now } };
  if (health.status !== "down") return ordered;
  return { ...ordered, health: { ...health, checkAt: now, heldUntil: undefined } };
}

/** The server once its strikes have left the window. */
export function forgive(server: ServerState, policy: Policy, now: number): ServerState {
  const due = forgivenAt(server, policy);
  if (due === undefined || now < due) return server;
  // Probes have a doubt, or none, of their own.
  const isTheirs = server.health.status === "up" || server.probes.fails > 0;
  if (isTheirs) return { ...server, strikes: [], trialAt: undefined };
  return bringUp(server, `had no strike for ${seconds(server.spec.failTimeoutMs)}`, now);
}

/** When strikes are forgotten by the passing of time alone, or undefined. */
export function forgivenAt(server: ServerState, policy: Policy): number | undefined {
  const { health, spec, strikes } = server;
  if (policy.strikes !== "sliding" || strikes.length === 0) return undefined;
  if (health.status !== "suspect" && health.status !== "up") return undefined;
  const isAsked = health.status === "suspect" && health.checkAt !== undefined;
  if (isAsked && !isTriedLive(server, policy)) return undefined;
  return Math.max(...strikes) + spec.failTimeoutMs;
}

/** The same server up, with a clean slate. */
export function bringUp(server: ServerState, reason: string, now: number): ServerState {
  const clean: ServerState = { ...server, strikes: [], trialAt: undefined };
  return withHealth(clean, { status: "up", since: now, reason });
}

/** The same server down; held down where it comes and goes too often. */
export function takeDown(
  server: ServerState,
  why: { readonly reason: string; readonly failedIn: FailedIn; readonly checks: number },
  { policy, now }: Surroundings,
): ServerState {
  const { health, spec } = server;
  const next = now + pauseAfter(why.checks, spec.failTimeoutMs);
  const known = health.status === "down" ? health.heldUntil : undefined;
  const fall = serves(health) ? fallOf(server.falls, policy.flap, now) : undefined;
  const { falls = server.falls, heldUntil = known, words = "" } = fall ?? {};
  const checkAt = Math.max(next, heldUntil ?? next);
  return withHealth(
    { ...server, falls },
    { status: "down", since: now, ...why, reason: why.reason + words, checkAt, heldUntil },
  );
}

/** The one door to another health: keeps `since` within a status, counts the generations. */
export function withHealth(server: ServerState, next: Health): ServerState {
  const { health, generation, probes } = server;
  const since = health.status === next.status ? health.since : next.since;
  const changes = serves(health) !== serves(next);
  return {
    ...server,
    health: { ...next, since },
    probes: changes ? NO_PROBES : probes,
    generation: changes ? generation + 1 : generation,
  };
}

/** Why the servers of a cold standby are `starting` that does not run. */
export const SLEEPS = "sleeps: it is a cold standby";

/** Why a server is `starting`. */
export const NO_PASS_YET = "has not passed a probe yet";

function serves(health: Health): boolean {
  return health.status === "up" || health.status === "suspect";
}

/** Narrows to the states in which a check is out or will be; a stray result changes no other. */
function isChecked(health: Health): health is Exclude<Health, { status: "up" | "starting" }> {
  if (health.status === "suspect") return health.checkAt !== undefined;
  return health.status === "down" || health.status === "unresolved";
}

function isLate(server: ServerState, generation: number, policy: Policy): boolean {
  return policy.ignoreLateFailures && generation !== server.generation;
}

function standingStrikes(server: ServerState, policy: Policy, now: number): readonly number[] {
  if (policy.strikes === "quiet_period") return server.strikes;
  return server.strikes.filter((time) => now - time < server.spec.failTimeoutMs);
}

function goesDown(server: ServerState, { policy, single, alone }: Surroundings): boolean {
  if (server.strikes.length < server.spec.maxFails) return false;
  // With nothing to fail over to, trying beats refusing.
  if (single) return false;
  return !(policy.keepLastStanding && alone);
}

function checkOfSuspect(
  server: ServerState,
  failure: Failure,
  { policy, single, now }: Surroundings,
): number | undefined {
  const { health, spec, strikes } = server;
  if (health.status === "suspect" && health.checkAt !== undefined) return health.checkAt;
  if (strikes.length < spec.maxFails || single || isTriedLive(server, policy)) return undefined;
  // One that answers lives: its own 503 tells the client more than the gateway's 502 would.
  return failure.cause === "status" ? undefined : now;
}

function partOf({ phase }: Failure): FailedIn {
  return phase === "resolve" || phase === "connect" ? "connect" : "answer";
}

function tally({ strikes, spec }: ServerState, policy: Policy): string {
  const span = seconds(spec.failTimeoutMs);
  const window = policy.strikes === "sliding" ? `in ${span}` : `without ${span} of quiet`;
  return `${strikes.length} of ${spec.maxFails} strikes ${window}`;
}

/** `5 s`, `0.25 s`. */
export function seconds(ms: number): string {
  return `${Math.round(ms) / 1000} s`;
}
