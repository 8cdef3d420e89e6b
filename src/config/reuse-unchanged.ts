import { isDeepStrictEqual } from "node:util";
import type { GroupSpec, PoolSpec } from "../failover/spec.ts";
import type { Config, GroupConfig } from "./config.ts";

/**
 * `next` with every part that is as it was in `previous` being that very object: groups, their
 * pools and servers, and whatever else the two consist of. So what is identical has not changed.
 */
export function reuseUnchanged(previous: Config, next: Config): Config {
  const groups = next.groups.map((group) => reuseGroup(named(previous.groups, group.name), group));
  const listen = reuseItems(previous.listen, next.listen);
  const admin = next.admin && previous.admin && reuseFields(previous.admin, next.admin);
  return reuseFields(previous, { ...next, listen, groups, admin: admin ?? next.admin });
}

function reuseGroup(previous: GroupConfig | undefined, next: GroupConfig): GroupConfig {
  if (previous === undefined) return next;
  return reuseFields(previous, { ...next, spec: reuseSpec(previous.spec, next.spec) });
}

function reuseSpec(previous: GroupSpec, next: GroupSpec): GroupSpec {
  const pools = next.pools.map((pool) => reusePool(named(previous.pools, pool.name), pool));
  return reuseFields(previous, { ...next, pools });
}

function reusePool(previous: PoolSpec | undefined, next: PoolSpec): PoolSpec {
  if (previous === undefined) return next;
  const servers = reuseItems(previous.servers, next.servers);
  return reuseFields(previous, { ...next, servers });
}

function named<T extends { readonly name: string }>(list: readonly T[], name: string) {
  return list.find((item) => item.name === name);
}

function reuseItems<T>(previous: readonly T[], next: readonly T[]): readonly T[] {
  return next.map((item) => previous.find((before) => isDeepStrictEqual(before, item)) ?? item);
}

/** `previous` where all is equal, else `next` with those of its values that are. */
function reuseFields<T extends object>(previous: T, next: T): T {
  if (isDeepStrictEqual(previous, next)) return previous;
  const reused = { ...next };
  for (const key in reused) {
    if (isDeepStrictEqual(previous[key], next[key])) reused[key] = previous[key];
  }
  return reused;
}
