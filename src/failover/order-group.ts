import type { GatewayEvent } from "../events.ts";
import type { Door, Share } from "./group-orders.ts";
import type { GroupState, Standby, Step } from "./group-state.ts";
import { SLEEPS, withHealth } from "./health.ts";
import type { ServerState } from "./server.ts";
import { settle } from "./settle.ts";
import { splitOf } from "./split.ts";

/** The group with another order at its door. */
export function setDoor(state: GroupState, door: Door, reason: string): Step {
  const { door: before } = state.orders;
  if (before.kind === "open" && door.kind === "open") return { state, happened: [] };
  const event: GatewayEvent = {
    type: doorEvent(before, door),
    group: state.spec.name,
    reason,
  };
  return { state: { ...state, orders: { ...state.orders, door } }, happened: [event] };
}

/** When a hold ends by itself, or undefined. */
export function doorOpensAt({ orders: { door } }: GroupState): number | undefined {
  return door.kind === "held" ? door.until : undefined;
}

/** The group once the time of a hold is up. */
export function openDoor(state: GroupState, now: number): Step {
  const at = doorOpensAt(state);
  if (at === undefined || now < at) return { state, happened: [] };
  return setDoor(state, { kind: "open" }, "the time of the hold is up");
}

export function setSplit(
  state: GroupState,
  split: readonly Share[] | undefined,
  reason: string,
): Step {
  const event: GatewayEvent = { type: "split-changed", group: state.spec.name, reason };
  return { state: { ...state, orders: { ...state.orders, split } }, happened: [event] };
}

/** Whoever makes a pool the primary wants all clients there. */
export function endSplit(state: GroupState, pool: string): Step {
  if (splitOf(state).length === 0) return { state, happened: [] };
  return setSplit(state, [], `${pool} takes all clients: it was made the primary`);
}

/** The group with a cold standby put to sleep, or woken: it serves once a server of it passes a probe. */
export function setStandby(
  state: GroupState,
  { pool: name, standby, reason }: StandbyChange,
  now: number,
): Step {
  const pool = state.pools.find((one) => one.name === name);
  if (pool === undefined || pool.standby === standby) return { state, happened: [] };
  const event: GatewayEvent = {
    type: standby === "asleep" ? "standby-asleep" : "standby-booting",
    group: state.spec.name,
    pool: name,
    reason,
  };
  const words = standby === "asleep" ? SLEEPS : BOOTS;
  const servers = state.servers.map((one) =>
    one.spec.pool === name ? rest(one, words, now) : one,
  );
  const pools = state.pools.map((one) => (one.name === name ? { ...one, standby } : one));
  const settled = settle({ ...state, servers }, { ...state, pools }, now);
  return { state: settled.state, happened: [event, ...settled.happened] };
}

const BOOTS = "boots, and has not passed a probe yet";

interface StandbyChange {
  readonly pool: string;
  readonly standby: Exclude<Standby, "awake">;
  readonly reason: string;
}

function doorEvent(before: Door, door: Door) {
  switch (door.kind) {
    case "held":
      return "held";
    case "maintenance":
      return "maintenance-began";
    case "open":
      return before.kind === "maintenance" ? "maintenance-ended" : "resumed";
  }
}

/** What it had against it belongs to the run that is over. */
function rest(server: ServerState, reason: string, since: number): ServerState {
  const clean: ServerState = { ...server, strikes: [], trialAt: undefined, falls: [] };
  return withHealth(clean, { status: "starting", since, reason });
}
