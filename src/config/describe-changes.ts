import { isDeepStrictEqual } from "node:util";
import type { Policy } from "../failover/policy.ts";
import type { GroupSpec, PoolSpec } from "../failover/spec.ts";
import { addressText } from "./address.ts";
import type { Config, GroupConfig } from "./config.ts";

/** For each key of the code its key in the file. */
type Words<T, Left extends keyof T = never> = Readonly<Record<Exclude<keyof T, Left>, string>>;

const TOP: Words<Config, "listen" | "groups"> = {
  admin: "admin",
  workers: "workers",
  accessLog: "access_log",
  eventLog: "event_log",
  limits: "limits",
  shutdownTimeoutMs: "shutdown_timeout",
  trustedProxies: "trusted_proxies",
  servedBy: "served_by",
  logUpgradeStart: "log_upgrade_start",
  stateDir: "state_dir",
  failoverStatusDir: "failover_status_dir",
  hooks: "hooks",
  tracing: "tracing",
  alerts: "alerts",
};

const GROUP: Words<GroupConfig, "name" | "spec" | "releases" | "expect" | "health" | "standbys"> = {
  routes: "routes",
  timeouts: "timeouts",
  upgrade: "upgrade",
  affinity: "affinity",
  keepalive: "keepalive",
  replay: "replay",
  rules: "rules",
  slo: "slo",
  hold: "hold",
  maintenance: "maintenance",
  hostHeader: "host_header",
  errorPages: "error_pages",
};

const SPEC: Words<GroupSpec, "name" | "pools" | "policy"> = {
  primary: "primary",
  balance: "balance",
  drain: "drain",
  split: "split",
};

/** What has no key of its own follows from `compat`. */
const POLICY: Words<Policy> = {
  nextUpstream: "next_upstream",
  tries: "next_upstream",
  nextUpstreamTimeoutMs: "next_upstream",
  cutRunning: "compat",
  repeatable: "compat",
  trustIdempotencyKey: "trust_idempotency_key",
  respectRetryAfter: "respect_retry_after",
  stale: "compat",
  countEveryStatus: "compat",
  countTooManyRequests: "compat",
  countTruncated: "compat",
  lastAnswer: "compat",
  keepLastStanding: "compat",
  rescue: "compat",
  ignoreLateFailures: "compat",
  strikes: "compat",
  recheck: "recheck",
  failback: "failback",
  holdDownMs: "hold_down",
  flap: "flap",
};

/**
 * What the one configuration does otherwise than the other, in the words of the file, sorted:
 * `access_log changed`, `group app: server http://127.0.0.1:3003 added to green`.
 */
export function describeChanges(previous: Config, next: Config): readonly string[] {
  const listen = difference(previous.listen.map(addressText), next.listen.map(addressText));
  const groups = difference(previous.groups.map(nameOf), next.groups.map(nameOf));
  return [
    ...changes(TOP, previous, next),
    ...listen.added.map((address) => `listen ${address} added`),
    ...listen.removed.map((address) => `listen ${address} removed`),
    ...groups.added.map((name) => `group ${name} added`),
    ...groups.removed.map((name) => `group ${name} removed`),
    ...pairs(previous.groups, next.groups).flatMap(([before, after]) =>
      groupChanges(before, after).map((change) => `group ${after.name}: ${change}`),
    ),
  ].toSorted();
}

function groupChanges(previous: GroupConfig, next: GroupConfig): readonly string[] {
  const [before, after] = [previous.spec, next.spec];
  const pools = difference(before.pools.map(nameOf), after.pools.map(nameOf));
  return [
    ...changes(GROUP, previous, next),
    ...changes(SPEC, before, after),
    ...changes(POLICY, before.policy, after.policy),
    ...pools.added.map((name) => `pool ${name} added`),
    ...pools.removed.map((name) => `pool ${name} removed`),
    ...(reordered(backupsOf(before), backupsOf(after)) ? ["order of pools changed"] : []),
    ...after.pools.flatMap(({ name }) => poolChanges(name, previous, next)),
    ...pairs(before.pools, after.pools).flatMap(([pool, newPool]) => serverChanges(pool, newPool)),
  ];
}

function poolChanges(pool: string, previous: GroupConfig, next: GroupConfig): string[] {
  if (previous.spec.pools.every(({ name }) => name !== pool)) return [];
  const [before, after] = [previous.expect.get(pool), next.expect.get(pool)];
  return [
    ...(previous.releases.get(pool) === next.releases.get(pool) ? [] : ["release"]),
    ...(before?.pool === after?.pool ? [] : ["expect_pool"]),
    ...(before?.release === after?.release ? [] : ["expect_release"]),
    ...(isDeepStrictEqual(previous.standbys.get(pool), next.standbys.get(pool)) ? [] : ["standby"]),
    ...(isDeepStrictEqual(previous.health.get(pool), next.health.get(pool)) ? [] : ["health"]),
  ].map((key) => `${key} of ${pool} changed`);
}

function serverChanges(previous: PoolSpec, next: PoolSpec): readonly string[] {
  const pool = next.name;
  const [before, after] = [keysOf(previous), keysOf(next)];
  const { added, removed } = difference(before, after);
  const urls = new Map([...previous.servers, ...next.servers].map(({ key, url }) => [key, url]));
  const changed = next.servers.filter((server) => {
    const old = previous.servers.find(({ key }) => key === server.key);
    return old !== undefined && !isDeepStrictEqual({ ...old, probe: server.probe }, server);
  });
  return [
    ...added.map((key) => `server ${urls.get(key)} added to ${pool}`),
    ...removed.map((key) => `server ${urls.get(key)} removed from ${pool}`),
    ...changed.map(({ url }) => `server ${url} of ${pool} changed`),
    ...(reordered(before, after) ? [`order of servers in ${pool} changed`] : []),
  ];
}

/** `KEY changed` for each value that differs, each key once. */
function changes<Key extends string>(
  words: Readonly<Record<Key, string>>,
  previous: Readonly<Record<Key, unknown>>,
  next: Readonly<Record<Key, unknown>>,
): readonly string[] {
  const found = new Set<string>();
  for (const key in words) {
    if (!isDeepStrictEqual(previous[key], next[key])) found.add(`${words[key]} changed`);
  }
  return [...found];
}

function difference(previous: readonly string[], next: readonly string[]) {
  return {
    added: next.filter((word) => !previous.includes(word)),
    removed: previous.filter((word) => !next.includes(word)),
  };
}

/** Whether the words that are in both stand in another order. */
function reordered(previous: readonly string[], next: readonly string[]): boolean {
  const before = previous.filter((word) => next.includes(word));
  return before.join(" ") !== next.filter((word) => previous.includes(word)).join(" ");
}

/** What has the same name in both. */
function pairs<T extends { readonly name: string }>(
  previous: readonly T[],
  next: readonly T[],
): (readonly [T, T])[] {
  return next.flatMap((after) => {
    const before = previous.find(({ name }) => name === after.name);
    return before === undefined ? [] : [[before, after] as const];
  });
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function keysOf({ servers }: PoolSpec): readonly string[] {
  return servers.map(({ key }) => key);
}

/** A new primary moves to the front by itself, so only the others have an order. */
function backupsOf({ pools, primary }: GroupSpec): readonly string[] {
  return pools.map(nameOf).filter((name) => name !== primary);
}
