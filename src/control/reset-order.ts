import type { GroupState } from "../failover/group-state.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Outcome } from "./control.ts";
import type { Moment } from "./group-view.ts";
import { orderedOf } from "./ordered-words.ts";
import type { Order } from "./orders.ts";
import { done } from "./outcomes.ts";

/** The configuration's values count again; whether its primary can serve is then decided as ever. */
export function reset(
  { groups, keeper, tell }: Pick<ChangeTools, "groups" | "keeper" | "tell">,
  state: GroupState,
  { by }: Order,
  at: Moment,
): Outcome {
  const { spec, orders, servers } = state;
  const { name } = spec;
  const before = orderedOf(state, at);
  const reason = `as configured, ordered by ${by}`;
  keeper.noteSwitch(name, undefined);
  for (const server of servers) {
    const admin = server.spec.down ? "maint" : "ready";
    if (server.admin === admin) continue;
    const { pool, address } = server.spec;
    tell({ type: "admin-changed", group: name, pool, server: address, reason });
    groups.apply(name, { type: "admin-set", server: server.index, admin }, state);
  }
  if (spec.pools.length > 0) groups.apply(name, { type: "switched", to: spec.primary, reason });
  if (orders.door.kind !== "open") {
    groups.apply(name, { type: "door-set", door: { kind: "open" }, reason });
  }
  if (groups.find(name)?.orders.split !== undefined) {
    groups.apply(name, { type: "split-set", split: undefined, reason });
  }
  const lines = before.map((words) => `no more: ${words}`);
  return done(lines.length > 0 ? lines : [`${name} is as configured already`], { group: name });
}
