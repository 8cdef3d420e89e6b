import type { GroupState } from "../failover/group-state.ts";
import { available, isHealthy } from "../failover/server.ts";
import type { MetricFacts, PoolFacts, ServerFacts } from "../observe/metrics.ts";
import type { Control } from "./control.ts";

/** What the metrics say at `now` (monotonic ms). */
export function metricFacts(control: Control, now: number): MetricFacts {
  const { config, reloads, workers, connections } = control;
  const groups = Array.from(control.groups);
  return {
    config,
    reloads,
    workers,
    connections,
    pools: groups.flatMap(poolFacts),
    servers: groups.flatMap((group) => serverFacts(group, control, now)),
  };
}

function poolFacts({ spec, pools, active }: GroupState): readonly PoolFacts[] {
  return pools.map(({ name }) => ({ group: spec.name, pool: name, isActive: name === active }));
}

function serverFacts(group: GroupState, control: Control, now: number): readonly ServerFacts[] {
  return group.servers.map((server) => ({
    group: group.spec.name,
    pool: server.spec.pool,
    server: server.spec.address,
    isUp: isHealthy(server),
    isAvailable: available(server, group.spec.policy, now),
    ...control.loadOf(group.spec.name, server.spec.key),
  }));
}
