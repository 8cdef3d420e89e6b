import { createHash } from "node:crypto";
import type { GroupState } from "../failover/group-state.ts";

/** RFC 9110 8.8.3: another one once something of the group was ordered or moved, or its servers are others. */
export function tagOf({ spec, primary, active, orders, pools, servers }: GroupState): string {
  const facts = {
    primary,
    active,
    orders,
    configured: spec.primary,
    pools: pools.map(({ name, standby }) => [name, standby]),
    servers: servers.map(({ spec: { key }, admin }) => [key, admin]),
  };
  const hash = createHash("sha256").update(JSON.stringify(facts)).digest("hex");
  return `"${hash.slice(0, 16)}"`;
}

/** Whether `If-Match` allows a change of the group (RFC 9110 13.1.1). */
export function fits(ifMatch: string | undefined, state: GroupState): boolean {
  if (ifMatch === undefined || ifMatch.trim() === "*") return true;
  const tag = tagOf(state);
  return ifMatch.split(",").some((one) => one.trim() === tag);
}
