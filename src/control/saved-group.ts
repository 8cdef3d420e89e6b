import type { KeptOrders } from "../failover/kept-orders.ts";
import type { Door, Share } from "../failover/group-orders.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Admin } from "../failover/server.ts";
import type { Moment } from "./group-view.ts";
import type { SavedGroup } from "./state-store.ts";

/** What is to be kept of a group: whatever is otherwise than its configuration says, and not by its health alone. */
export function savedGroup(
  state: GroupState,
  lastSwitch: SavedGroup["lastSwitch"],
  at: Moment,
): SavedGroup {
  const { spec, primary, active, orders } = state;
  const admin = adminOf(state);
  const awake = awakeOf(state);
  // Where a failback comes by itself, so does the failover before it.
  const stays = active !== primary && spec.policy.failback !== "auto";
  return {
    ...(primary !== spec.primary && { primary: { name: primary, configured: spec.primary } }),
    ...(stays && { active }),
    ...(Object.keys(admin).length > 0 && { admin }),
    ...(orders.door.kind !== "open" && { door: savedDoor(orders.door, at) }),
    ...(orders.split && { split: weightsOf(orders.split) }),
    ...(awake.length > 0 && { awake }),
    ...(lastSwitch && { lastSwitch }),
  };
}

/** The same as the group is given it again. */
export function keptOrders({ spec }: GroupState, saved: SavedGroup, at: Moment): KeptOrders {
  const { primary, active, admin = {}, door, split } = saved;
  // A primary that was edited since is the later word.
  const isEdited = primary !== undefined && primary.configured !== spec.primary;
  return {
    primary: isEdited ? undefined : primary?.name,
    active: isEdited ? undefined : active,
    admin,
    door: door === undefined ? { kind: "open" } : doorOf(door, at),
    split: split && Object.entries(split).map(([pool, weight]) => ({ pool, weight })),
  };
}

function adminOf({ servers }: GroupState): Readonly<Record<string, Admin>> {
  const otherwise = servers.filter(({ admin, spec }) => admin !== (spec.down ? "maint" : "ready"));
  return Object.fromEntries(otherwise.map(({ spec, admin }) => [spec.key, admin]));
}

function awakeOf({ pools, spec }: GroupState): readonly string[] {
  const cold = new Set(spec.pools.filter(({ cold }) => cold).map(({ name }) => name));
  return pools
    .filter(({ name, standby }) => cold.has(name) && standby !== "asleep")
    .map(({ name }) => name);
}

function weightsOf(split: readonly Share[]): Readonly<Record<string, number>> {
  return Object.fromEntries(split.map(({ pool, weight }) => [pool, weight]));
}

function savedDoor(
  door: Exclude<Door, { kind: "open" }>,
  { now, wall }: Moment,
): SavedGroup["door"] {
  const since = Math.round(wall - now + door.since);
  if (door.kind === "maintenance") return { kind: "maintenance", since };
  return { kind: "held", since, until: Math.round(wall - now + door.until) };
}

function doorOf(door: NonNullable<SavedGroup["door"]>, { now, wall }: Moment): Door {
  const since = now - wall + door.since;
  if (door.kind === "maintenance") return { kind: "maintenance", since };
  return { kind: "held", since, until: now - wall + door.until };
}
