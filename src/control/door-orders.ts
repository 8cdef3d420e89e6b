import type { GroupState } from "../failover/group-state.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Outcome } from "./control.ts";
import { done, refused } from "./outcomes.ts";
import type { HoldOrder, Order } from "./orders.ts";

type Tools = Pick<ChangeTools, "clock" | "groups">;

/** One that is held already is held for that long from now. */
export function hold(
  { clock, groups, holdMsOf }: Tools & Pick<ChangeTools, "holdMsOf">,
  { spec, orders }: GroupState,
  { by, maxMs = holdMsOf(spec.name) }: HoldOrder,
): Outcome {
  if (orders.door.kind === "maintenance") {
    return refused(`${spec.name} is in maintenance: end that first`);
  }
  if (!(maxMs > 0)) return refused("a hold has to last longer than 0 s");
  const now = clock.now();
  const since = orders.door.kind === "held" ? orders.door.since : now;
  const reason = `for ${seconds(maxMs)} at most, ordered by ${by}`;
  const door = { kind: "held", since, until: now + maxMs } as const;
  groups.apply(spec.name, { type: "door-set", door, reason });
  const line = `requests to ${spec.name} wait at the door, for ${seconds(maxMs)} at most`;
  return done([line], { group: spec.name, hold_ms: maxMs });
}

export function resume({ groups }: Tools, { spec, orders }: GroupState, { by }: Order): Outcome {
  const facts = { group: spec.name };
  if (orders.door.kind === "maintenance") {
    return refused(`${spec.name} is not held, but in maintenance: end that`);
  }
  if (orders.door.kind === "open") return done([`${spec.name} is not held`], facts);
  const reason = `ordered by ${by}`;
  groups.apply(spec.name, { type: "door-set", door: { kind: "open" }, reason });
  return done([`requests to ${spec.name} are let in`], facts);
}

/** Whoever waits at the door gets the page, too. */
export function setMaintenance(
  { clock, groups }: Tools,
  { spec, orders }: GroupState,
  { by, on }: Order & { readonly on: boolean },
): Outcome {
  const facts = { group: spec.name, maintenance: on };
  const isOn = orders.door.kind === "maintenance";
  const words = on ? "in maintenance" : "not in maintenance";
  if (isOn === on) return done([`${spec.name} is ${words} already`], facts);
  const reason = `ordered by ${by}`;
  const door = on ? ({ kind: "maintenance", since: clock.now() } as const) : OPEN;
  groups.apply(spec.name, { type: "door-set", door, reason });
  return done([`${spec.name} is ${words}`], facts);
}

const OPEN = { kind: "open" } as const;

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
