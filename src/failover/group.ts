import type { GatewayEvent } from "../events.ts";
import { drainEnds, endDrains, startDrain } from "./drain.ts";
import type { Failure } from "./failure.ts";
import { type Door, NO_ORDERS, type Share } from "./group-orders.ts";
import { doorOpensAt, endSplit, openDoor, setDoor, setSplit, setStandby } from "./order-group.ts";
import type { GroupState, Standby, Step } from "./group-state.ts";
import type { Surroundings } from "./health.ts";
import * as health from "./health.ts";
import type { Policy } from "./policy.ts";
import { failProbe, passProbe, type ProbeFailure } from "./probe.ts";
import type { DueCheck } from "./recheck.ts";
import type { Admin, ServerState } from "./server.ts";
import { isServing, isTriedLive } from "./server.ts";
import { createServers } from "./server-start.ts";
import type { GroupSpec } from "./spec.ts";
import { beginWith, failbackAt, settle } from "./settle.ts";

export type GroupEvent =
  /** Of those attempts only whose verdict is `counted`. */
  | {
      readonly type: "attempt-failed";
      readonly server: number;
      readonly generation: number;
      readonly failure: Failure;
    }
  /** Needed only where `wantsSuccess` says so. */
  | { readonly type: "attempt-succeeded"; readonly server: number; readonly generation: number }
  /** A pick with `trial` set takes the server's one trial slot. */
  | { readonly type: "trial-started"; readonly server: number }
  | { readonly type: "check-passed"; readonly server: number }
  | { readonly type: "check-failed"; readonly server: number; readonly reason: string }
  /** Of the server's generation when the probe began. */
  | { readonly type: "probe-passed"; readonly server: number; readonly generation: number }
  | ({
      readonly type: "probe-failed";
      readonly server: number;
      readonly generation: number;
    } & ProbeFailure)
  | { readonly type: "resolve-failed"; readonly server: number; readonly reason: string }
  | { readonly type: "resolved"; readonly server: number }
  | { readonly type: "admin-set"; readonly server: number; readonly admin: Admin }
  /** A pool is made active, and the primary unless that is another; `reason` in words, with who ordered it. */
  | {
      readonly type: "switched";
      readonly to: string;
      readonly primary?: string;
      readonly reason?: string;
    }
  | { readonly type: "door-set"; readonly door: Door; readonly reason: string }
  | {
      readonly type: "split-set";
      readonly split: readonly Share[] | undefined;
      readonly reason: string;
    }
  /** Of a cold standby: `asleep` once it was stopped, `booting` once it is started. */
  | {
      readonly type: "standby-set";
      readonly pool: string;
      readonly standby: Exclude<Standby, "awake">;
      readonly reason: string;
    }
  /** Due at `nextDue`. */
  | { readonly type: "time-passed" };

/** A group as it begins, or begins again: what was learnt and ordered before outlives a reload. */
export function createGroup(spec: GroupSpec, now: number, previous?: GroupState): GroupState {
  const servers = createServers(spec, now, previous);
  // A primary that was edited in the configuration is the operator's latest word.
  const kept = previous?.spec.primary === spec.primary ? previous : undefined;
  const primary = keptPool(spec, kept?.primary);
  const active = keptPool(spec, kept?.active);
  const orders = previous?.orders ?? NO_ORDERS;
  return beginWith({ spec, primary, active, orders, servers }, previous, now);
}

/** The pool of that name, where the configuration still has it, else the primary. */
export function keptPool(spec: GroupSpec, name: string | undefined): string {
  return name !== undefined && hasPool(spec, name) ? name : spec.primary;
}

function hasPool(spec: GroupSpec, name: string): boolean {
  return spec.pools.some((pool) => pool.name === name);
}

/** The group after one event at `now` (monotonic ms), and what that made happen. */
export function step(state: GroupState, event: GroupEvent, now: number): Step {
  if (isOfServer(event)) return stepServer(state, event, now);
  switch (event.type) {
    case "switched":
      return switchTo(state, event, now);
    case "door-set":
      return setDoor(state, event.door, event.reason);
    case "split-set":
      return setSplit(state, event.split, event.reason);
    case "standby-set":
      return setStandby(state, event, now);
    case "time-passed":
      return passTime(state, now);
  }
}

/** Whether an `attempt-succeeded` of this server would change anything: only where a trial is out. */
export function wantsSuccess(server: ServerState, policy: Policy): boolean {
  if (server.trialAt === undefined) return false;
  return policy.recheck === "live" || policy.strikes === "quiet_period";
}

/**
 * When `time-passed` is due next (a hold-down or a drain ends, strikes expire), or undefined. Ask again after each
 * `time-passed`: one that comes a moment early changes nothing.
 */
export function nextDue(state: GroupState): number | undefined {
  const { policy } = state.spec;
  const forgiven = state.servers.map((one) => health.forgivenAt(one, policy));
  const times = [failbackAt(state), doorOpensAt(state), ...forgiven, ...drainEnds(state)];
  const due = times.filter((time) => time !== undefined);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** The background check that this server is due, or undefined where nobody is to ask, or probes do. */
export function dueCheck({ spec }: GroupState, server: ServerState): DueCheck | undefined {
  const { admin, health: known } = server;
  if (admin === "maint" || known.status === "up" || known.status === "starting") return undefined;
  if (known.status === "unresolved") return { at: known.checkAt, kind: "resolve" };
  if (known.checkAt === undefined || server.spec.probe !== undefined) return undefined;
  if (isTriedLive(server, spec.policy)) return undefined;
  const asks = spec.policy.recheck === "auto" && known.failedIn === "answer";
  return { at: known.checkAt, kind: asks ? "request" : "connect" };
}

type SwitchedEvent = Extract<GroupEvent, { readonly type: "switched" }>;

/** Of one server, by its index. */
export type ServerEvent = Extract<GroupEvent, { readonly server: number }>;

export function isOfServer(event: GroupEvent): event is ServerEvent {
  return "server" in event;
}

function stepServer(state: GroupState, event: ServerEvent, now: number): Step {
  const server = state.servers[event.server];
  // An event that was under way while a reload took its server out.
  if (server === undefined) return { state, happened: [] };
  if (isProbe(event) && sleeps(state, server)) return { state, happened: [] };
  const next = changeServer(server, event, surroundingsOf(state, server, now));
  if (next === server) return { state, happened: [] };
  return settle({ ...state, servers: state.servers.with(server.index, next) }, state, now);
}

function isProbe({ type }: ServerEvent): boolean {
  return type === "probe-passed" || type === "probe-failed";
}

/** What a probe has found that began before the pool was put to sleep is of no meaning. */
function sleeps({ pools }: GroupState, { spec }: ServerState): boolean {
  return pools.some(({ name, standby }) => name === spec.pool && standby === "asleep");
}

function changeServer(server: ServerState, event: ServerEvent, around: Surroundings): ServerState {
  switch (event.type) {
    case "attempt-failed":
      return health.strike(server, event.failure, event.generation, around);
    case "attempt-succeeded":
      if (!wantsSuccess(server, around.policy)) return server;
      return health.succeed(server, event.generation, around);
    case "trial-started":
      return health.startTrial(server, around);
    case "check-passed":
      return health.passCheck(server, around);
    case "check-failed":
      return health.failCheck(server, event.reason, around);
    case "probe-passed":
      return passProbe(server, event.generation, around);
    case "probe-failed":
      return failProbe(server, event, event.generation, around);
    case "resolve-failed":
      return health.failResolve(server, event.reason, around);
    case "resolved":
      return health.resolve(server, around);
    case "admin-set":
      return health.setAdmin(server, event.admin, around);
  }
}

function surroundingsOf({ spec, servers, allDown }: GroupState, server: ServerState, now: number) {
  const alone = servers.every((other) => other === server || !isServing(other));
  const single = servers.length === 1;
  return { policy: spec.policy, now, single, alone, allDown, drainMs: spec.drain.tunnelsMs };
}

function passTime(state: GroupState, now: number): Step {
  const { policy } = state.spec;
  const opened = openDoor(state, now);
  const drained = endDrains(opened.state, now);
  const servers = drained.state.servers.map((one) => health.forgive(one, policy, now));
  const passed = settle({ ...drained.state, servers }, drained.state, now);
  const happened = [...opened.happened, ...drained.happened, ...passed.happened];
  // What time alone changes is an event, or strikes that it wipes out.
  const isSame = servers.every((one, index) => one === state.servers[index]);
  if (happened.length === 0 && isSame) return { state, happened };
  return { state: passed.state, happened };
}

function switchTo(
  state: GroupState,
  { to, primary = to, reason = `${to} was made the primary` }: SwitchedEvent,
  now: number,
): Step {
  const { active } = state;
  if (state.primary === primary && active === to) return { state, happened: [] };
  if (!hasPool(state.spec, to)) throw new Error(`group "${state.spec.name}": no pool "${to}"`);
  const from = active === to ? state.primary : active;
  const event: GatewayEvent = { type: "switched", group: state.spec.name, from, to, reason };
  const pools = startDrain(state.pools, active, now + state.spec.drain.tunnelsMs);
  const ended = endSplit(state, to);
  const next = { ...ended.state, primary, active: to };
  const settled = settle(next, { ...state, pools }, now);
  return { state: settled.state, happened: [event, ...ended.happened, ...settled.happened] };
}
