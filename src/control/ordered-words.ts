import type { GroupState } from "../failover/group-state.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { Moment } from "./group-view.ts";
import { inWords } from "./split-order.ts";

/** In what a group differs from its configuration by somebody's order, in words; empty where in nothing. */
export function orderedOf(state: GroupState, at: Moment): readonly string[] {
  const { spec, primary, servers, orders } = state;
  const otherwise = servers.filter(({ admin, spec }) => admin !== (spec.down ? "maint" : "ready"));
  return [
    ...(primary === spec.primary
      ? []
      : [`primary ${primary} (the configuration says ${spec.primary})`]),
    ...otherwise.map(({ spec, admin }) => `${spec.address} of ${spec.pool}: ${admin}`),
    ...doorWords(state, at),
    ...(orders.split === undefined ? [] : [`new clients go to: ${inWords(orders.split)}`]),
  ];
}

function doorWords({ orders: { door } }: GroupState, { now, wall }: Moment): readonly string[] {
  const time = (moment: number): string => isoUtc(wall - now + moment);
  if (door.kind === "held") return [`held until ${time(door.until)} at most`];
  return door.kind === "maintenance" ? [`in maintenance since ${time(door.since)}`] : [];
}
