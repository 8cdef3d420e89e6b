import type { GroupState } from "../failover/group-state.ts";
import { available, isHealthy } from "../failover/server.ts";
import type { MetricFacts, PoolFacts, ServerFacts } from "../observe/metrics.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { Control } from "./control.ts";

/** What the metrics say at `now` (monotonic ms). */
export function metricFacts(control: Control, now: number): MetricFacts {
  const { config, reloads, workers, connections, uncountedMs } = control;
  const groups = Array.from(control.groups);
  return {
    config,
    reloads,
    workers,
    connections,
    uncountedMs,
    groups: groups.map(({ spec: { name } }) => ({
      group: name,
      waiting: control.waitingOf(name),
      promises: control.serviceLevels.of(name),
    })),
    traffic: trafficOf(groups, control),
    pools: groups.flatMap(poolFacts),
    servers: groups.flatMap((group) => serverFacts(group, control, now)),
  };
}

/** What came to no group is told; what came to one that is gone is not. */
function trafficOf(groups: readonly GroupState[], { traffic }: Control): readonly PoolTraffic[] {
  const names = new Set(["", ...groups.map(({ spec }) => spec.name)]);
  return traffic.filter(({ group }) => names.has(group));
}

function poolFacts({ spec, pools, active }: GroupState): readonly PoolFacts[] {
  return pools.map(({ name, standby }) => ({
    group: spec.name,
    pool: name,
    isActive: name === active,
    isAsleep: standby === "asleep",
  }));
}

function serverFacts(group: GroupState, control: Control, now: number): readonly ServerFacts[] {
  return group.servers.map((server) => ({
    group: group.spec.name,
    pool: server.spec.pool,
    server: server.spec.address,
    isUp: isHealthy(server),
    strikes: server.strikes.length,
    isAvailable: available(server, group.spec.policy, now),
    ...control.loadOf(group.spec.name, server.spec.key),
  }));
}
