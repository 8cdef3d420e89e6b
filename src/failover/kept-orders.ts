import { keptPool } from "./group.ts";
import type { Door, Share } from "./group-orders.ts";
import type { GroupState } from "./group-state.ts";
import type { Admin, ServerState } from "./server.ts";
import { beginWith } from "./settle.ts";

/** What was ordered of a group in an earlier run of the gateway; times as of this one. */
export interface KeptOrders {
  /** Undefined = as configured. */
  readonly primary: string | undefined;
  readonly active: string | undefined;
  /** By server key; those that it does not know are as configured. */
  readonly admin: Readonly<Record<string, Admin>>;
  readonly door: Door;
  readonly split: readonly Share[] | undefined;
}

/** The group as it begins with these: nobody is bound to what was taken out in another run. */
export function withOrders(state: GroupState, kept: KeptOrders, now: number): GroupState {
  const { spec } = state;
  const primary = keptPool(spec, kept.primary);
  const isOver = kept.door.kind === "held" && kept.door.until <= now;
  const door: Door = isOver ? { kind: "open" } : kept.door;
  const servers = state.servers.map((server) => ordered(server, kept.admin[server.spec.key]));
  const active = keptPool(spec, kept.active ?? primary);
  const orders = { door, split: knownShares(state, kept.split) };
  return beginWith({ spec, primary, active, orders, servers }, undefined, now);
}

function ordered(server: ServerState, admin: Admin | undefined): ServerState {
  return admin === undefined ? server : { ...server, admin };
}

/** As configured where nothing is left of it. */
function knownShares({ spec }: GroupState, split: readonly Share[] | undefined) {
  const known = split?.filter(({ pool }) => spec.pools.some(({ name }) => name === pool));
  const isLost = known?.every(({ weight }) => weight === 0) === true && split?.length !== 0;
  return isLost ? undefined : known;
}
