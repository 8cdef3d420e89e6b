import type { GroupState } from "../failover/group-state.ts";
import { describeServer, isServing, type ServerState } from "../failover/server.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Outcome } from "./control.ts";
import { done, refused, unknownPool, unknownServer } from "./outcomes.ts";
import type { AdminOrder } from "./orders.ts";

/** The servers that an order is about, or that there are none. */
export function orderedServers(
  state: GroupState,
  { pool, server }: Pick<AdminOrder, "pool" | "server">,
): { ok: true; servers: readonly ServerState[] } | { ok: false; outcome: Outcome } {
  const ofPool = state.servers.filter(({ spec }) => spec.pool === pool);
  if (!state.pools.some(({ name }) => name === pool)) {
    return { ok: false, outcome: unknownPool(state, pool) };
  }
  if (server === undefined) return { ok: true, servers: ofPool };
  const found = ofPool.filter(({ spec }) => spec.address === server);
  if (found.length > 0) return { ok: true, servers: found };
  return { ok: false, outcome: unknownServer(state, pool, server) };
}

/** A pool's servers, or one of them, in or out of service. */
export function setAdmin(
  { groups, tell }: Pick<ChangeTools, "groups" | "tell">,
  state: GroupState,
  order: AdminOrder,
): Outcome {
  const { name } = state.spec;
  const { pool, admin, by, force } = order;
  const found = orderedServers(state, order);
  if (!found.ok) return found.outcome;
  const danger = admin === "ready" ? undefined : whyNotOut(state, pool, found.servers);
  if (danger !== undefined && !force) return refused(danger);
  const changed = found.servers.filter((server) => server.admin !== admin);
  for (const server of changed) {
    const reason = `${server.admin} -> ${admin}, ordered by ${by}`;
    tell({ type: "admin-changed", group: name, pool, server: server.spec.address, reason });
    groups.apply(name, { type: "admin-set", server: server.index, admin }, state);
  }
  const servers = found.servers.map(({ spec }) => spec.address);
  const lines = [
    changed.length === 0 ? `${servers.join(", ")}: ${admin} already` : ordered(changed, admin),
    ...(danger === undefined ? [] : [`forced: ${danger}`]),
  ];
  return done(lines, { group: name, pool, servers, admin });
}

/** Why clients would miss these servers; undefined where others serve on. */
function whyNotOut(
  { spec, active, servers }: GroupState,
  pool: string,
  out: readonly ServerState[],
): string | undefined {
  if (!out.some(isServing)) return undefined;
  const left = servers.filter((server) => isServing(server) && !out.includes(server));
  if (left.length === 0) {
    const others = servers.filter((server) => !out.includes(server)).map(describeServer);
    const why = others.length > 0 ? `: ${others.join(", ")}` : "";
    return `no other server of ${spec.name} serves${why}`;
  }
  if (pool !== active || left.some((server) => server.spec.pool === active)) return undefined;
  return `${active} serves ${spec.name} and would have no server left: switch to another pool first`;
}

function ordered(servers: readonly ServerState[], admin: AdminOrder["admin"]): string {
  const words = { ready: "may serve", drain: "drains", maint: "is in maintenance" }[admin];
  return servers.map(({ spec }) => `${spec.address} of ${spec.pool} ${words}`).join("; ");
}
