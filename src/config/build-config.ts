import type { DrainSpec, GroupSpec, PoolSpec, ProbeRules, ServerSpec } from "../failover/spec.ts";
import { DEFAULT_POLICY, type FlapRules, NGINX_POLICY, type Policy } from "../failover/policy.ts";
import { actionOf } from "./action-schema.ts";
import type {
  AffinityConfig,
  Config,
  GroupConfig,
  Limits,
  StandbyConfig,
  Timeouts,
} from "./config.ts";
import { healthOf } from "./build-health.ts";
import type { ErrorPage } from "./error-pages.ts";
import type { ParsedConfig, ParsedGroup } from "./schema.ts";

type Pages = ReadonlyMap<string, ErrorPage>;
type ParsedPool = ParsedGroup["pools"][string];
type ParsedServer = ParsedPool["servers"][number];

/** What an operator's `hold` goes by where the group has none of its own. */
const HOLD_MS = 30_000;
const HELD_REQUESTS = 1_000;

/** Of a cold standby: to its first probe that passes, and once it is needed no more. */
const BOOT_MS = 60_000;
const STOP_AFTER_MS = 300_000;

/** From the words of the file to the words of the code. */
export function buildConfig(
  parsed: ParsedConfig,
  pages: Pages,
  tokenHash: string | undefined,
): Config {
  return {
    listen: parsed.listen,
    admin: parsed.admin && { address: parsed.admin.address, tokenHash },
    workers: parsed.workers,
    accessLog: parsed.access_log,
    eventLog: parsed.event_log,
    limits: limitsOf(parsed.limits),
    shutdownTimeoutMs: parsed.shutdown_timeout,
    trustedProxies: parsed.trusted_proxies,
    servedBy: parsed.served_by,
    logUpgradeStart: parsed.log_upgrade_start,
    stateDir: parsed.state_dir,
    failoverStatusDir: parsed.failover_status_dir,
    hooks: parsed.hooks,
    tracing: parsed.tracing,
    alerts: parsed.alerts,
    groups: Object.entries(parsed.groups).map(([name, group]) => groupOf(name, group, pages)),
  };
}

function limitsOf(limits: ParsedConfig["limits"]): Limits {
  return {
    headBytes: limits.head,
    targetBytes: limits.target,
    fieldCount: limits.headers,
    headTimeMs: limits.head_time,
    bodyBytes: limits.body,
    bodyIdleMs: limits.body_idle,
    sendIdleMs: limits.send_idle,
    idleMs: limits.idle,
    requestsPerConnection: limits.requests_per_connection,
    connections: limits.connections,
    loopDelayMs: limits.loop_delay,
    serverHeadBytes: limits.server_head,
  };
}

function groupOf(name: string, group: ParsedGroup, pages: Pages): GroupConfig {
  const pools = Object.entries(group.pools);
  const health = healthOf(group);
  return {
    name,
    routes: group.routes.map(({ host, path }) => ({ host, path })),
    spec: specOf(name, group, health),
    timeouts: timeoutsOf(group.timeouts),
    upgrade: new Set(group.upgrade),
    affinity: affinityOf(name, group.affinity),
    keepalive: { maxIdle: group.keepalive.max_idle, idleMs: group.keepalive.idle },
    replay: {
      memoryBytes: Math.min(group.replay.memory, group.replay.limit),
      limitBytes: group.replay.limit,
    },
    rules: group.rules,
    slo: group.slo,
    hold: {
      whenDown: group.hold !== undefined,
      maxMs: group.hold?.max ?? HOLD_MS,
      requests: group.hold?.requests ?? HELD_REQUESTS,
    },
    maintenance: {
      retryAfterMs: group.maintenance.retry_after,
      page: group.maintenance.page === undefined ? undefined : pages.get(group.maintenance.page),
    },
    hostHeader: group.host_header,
    releases: new Map(
      pools.flatMap(([pool, { release }]) => (release === undefined ? [] : [[pool, release]])),
    ),
    expect: new Map(pools.flatMap(([pool, parsed]) => expectationOf(pool, parsed))),
    standbys: new Map(pools.flatMap(([pool, parsed]) => standbyOf(pool, parsed))),
    health,
    errorPages: new Map(
      Object.entries(group.error_pages).flatMap(([status, path]) => {
        const page = pages.get(path);
        return page === undefined ? [] : [[Number(status), page]];
      }),
    ),
  };
}

/** The group's name in it: groups on one host would overwrite each other's cookie. */
function affinityOf(group: string, affinity: ParsedGroup["affinity"]): AffinityConfig {
  if (affinity.kind !== "cookie") return affinity;
  return { ...affinity, name: affinity.name ?? `understudy_${group}` };
}

function timeoutsOf(timeouts: ParsedGroup["timeouts"]): Timeouts {
  return {
    connectMs: timeouts.connect,
    sendMs: timeouts.send,
    readMs: timeouts.read,
    totalMs: timeouts.total,
    tunnelMs: timeouts.tunnel,
  };
}

function expectationOf(name: string, pool: ParsedPool): [string, Expectation][] {
  const { expect_pool, expect_release } = pool;
  if (expect_pool === undefined && expect_release === undefined) return [];
  return [
    [
      name,
      {
        ...(expect_pool === undefined ? {} : { pool: expect_pool }),
        ...(expect_release === undefined ? {} : { release: expect_release }),
      },
    ],
  ];
}

function standbyOf(
  name: string,
  { standby, start, stop, boot_timeout, stop_after }: ParsedPool,
): [string, StandbyConfig][] {
  if (standby === undefined || start === undefined) return [];
  const cold: StandbyConfig = {
    start: actionOf(start, "start"),
    stop: stop && actionOf(stop, "stop"),
    bootMs: boot_timeout ?? BOOT_MS,
    stopAfterMs: stop_after ?? STOP_AFTER_MS,
  };
  return [[name, cold]];
}

type Expectation = { readonly release?: string; readonly pool?: string };

function specOf(name: string, group: ParsedGroup, health: GroupConfig["health"]): GroupSpec {
  const written = Object.entries(group.pools).map(([pool, { servers }]): PoolSpec => ({
    name: pool,
    cold: group.pools[pool]?.standby === "cold",
    servers: servers.map((server) => serverOf(pool, server, health.get(pool)?.rules)),
  }));
  const primary = group.primary ?? written[0]?.name ?? "";
  return {
    name,
    primary,
    // The primary first, the others as they were written: sorting keeps their order.
    pools: written.toSorted((a, b) => Number(b.name === primary) - Number(a.name === primary)),
    balance: group.balance,
    policy: policyOf(group),
    drain: drainOf(group.drain),
    split: Object.entries(group.split ?? {}).map(([pool, weight]) => ({ pool, weight })),
  };
}

function drainOf({ tunnels, spread, grace }: ParsedGroup["drain"]): DrainSpec {
  return { tunnelsMs: tunnels, spreadMs: spread, graceMs: grace };
}

function serverOf(pool: string, server: ParsedServer, probe: ProbeRules | undefined): ServerSpec {
  const { url, address } = server.url;
  return {
    key: `${pool} ${address}`,
    pool,
    url,
    address,
    weight: server.weight,
    maxFails: server.max_fails,
    failTimeoutMs: server.fail_timeout,
    maxConns: server.max_conns,
    down: server.down,
    probe,
  };
}

/** The preset that `compat` names, with what is written beside it. */
function policyOf(group: ParsedGroup): Policy {
  const preset = group.compat === "nginx" ? NGINX_POLICY : DEFAULT_POLICY;
  const { on, tries, timeout } = group.next_upstream;
  return {
    ...preset,
    nextUpstream: on === undefined ? preset.nextUpstream : new Set(on),
    tries: tries ?? preset.tries,
    nextUpstreamTimeoutMs: timeout ?? preset.nextUpstreamTimeoutMs,
    trustIdempotencyKey: group.trust_idempotency_key ?? preset.trustIdempotencyKey,
    respectRetryAfter: group.respect_retry_after ?? preset.respectRetryAfter,
    recheck: group.recheck ?? preset.recheck,
    failback: group.failback ?? preset.failback,
    holdDownMs: group.hold_down ?? preset.holdDownMs,
    flap: flapOf(group.flap) ?? preset.flap,
  };
}

function flapOf(flap: ParsedGroup["flap"]): FlapRules | undefined {
  if (flap === undefined) return undefined;
  return { changes: flap.changes, withinMs: flap.within, holdMs: flap.hold };
}
