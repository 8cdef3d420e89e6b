import type { Seat } from "../../src/failover/choose.ts";
import type { Failure } from "../../src/failover/failure.ts";
import type { GroupEvent } from "../../src/failover/group.ts";
import type { GroupState } from "../../src/failover/group-state.ts";
import type { GroupSpec, PoolSpec, ProbeRules, ServerSpec } from "../../src/failover/spec.ts";
import { createGroup, step } from "../../src/failover/group.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/failover/policy.ts";
import type { ServerState } from "../../src/failover/server.ts";

/** A server that goes down at its first strike and is asked again after 5 s. */
export function aServer(pool: string, address: string, more: Partial<ServerSpec> = {}): ServerSpec {
  return {
    key: `${pool} ${address}`,
    pool,
    url: `http://${address}`,
    address,
    weight: 1,
    maxFails: 1,
    failTimeoutMs: 5000,
    maxConns: 0,
    down: false,
    probe: undefined,
    ...more,
  };
}

/** Two passes bring a server up, two fails take it down. */
export const PROBED: ProbeRules = {
  intervalMs: 2000,
  fastIntervalMs: 500,
  jitter: 0.1,
  rise: 2,
  fall: 2,
  gate: false,
};

/** A pool whose servers are named after it: `blue1`, `blue2`. */
export function aPool(name: string, ...servers: readonly Partial<ServerSpec>[]): PoolSpec {
  return {
    name,
    cold: false,
    servers: servers.map((more, at) => aServer(name, `${name}${at + 1}`, more)),
  };
}

/** One server each in the pools blue (the primary) and green. */
export const BLUE_GREEN: readonly PoolSpec[] = [aPool("blue", {}), aPool("green", {})];

export function aGroup(
  pools: readonly PoolSpec[] = BLUE_GREEN,
  policy: Partial<Policy> = {},
  more: Partial<GroupSpec> = {},
): GroupSpec {
  return {
    name: "app",
    primary: pools[0]?.name ?? "",
    pools,
    balance: { kind: "round_robin" },
    policy: { ...DEFAULT_POLICY, ...policy },
    drain: { tunnelsMs: 300_000, spreadMs: 30_000, graceMs: 2000 },
    split: [],
    ...more,
  };
}

export const REFUSED: Failure = {
  source: "server",
  phase: "connect",
  cause: "refused",
  status: undefined,
  retryAfter: false,
  reused: false,
  sentBytes: 0,
  receivedBytes: 0,
};

export const SILENT: Failure = { ...REFUSED, phase: "head", cause: "timeout", sentBytes: 100 };

export const CLOSED: Failure = { ...SILENT, cause: "closed" };

export function answered(status: number, more: Partial<Failure> = {}): Failure {
  return { ...SILENT, cause: "status", status, receivedBytes: 100, ...more };
}

export function seatsOf(state: GroupState): readonly Seat[] {
  return state.servers.map(() => ({ inFlight: 0, current: 0 }));
}

/** A strike of an attempt that began in the server's present generation. */
export function struck(state: GroupState, server: number, failure = REFUSED): GroupEvent {
  const generation = state.servers[server]?.generation ?? 0;
  return { type: "attempt-failed", server, generation, failure };
}

/** A group on a clock of its own, with all that happened to it in short. */
export class GroupStory {
  state: GroupState;
  now: number;
  /** `server-down blue1`, `failover blue -> green`, `all-down`. */
  happened: string[] = [];
  reasons: string[] = [];

  constructor(spec: GroupSpec, begin = 0) {
    this.state = createGroup(spec, begin);
    this.now = begin;
  }

  at(now: number): this {
    this.now = now;
    return this;
  }

  apply(...events: readonly GroupEvent[]): this {
    for (const event of events) {
      const { state, happened } = step(this.state, event, this.now);
      this.state = state;
      for (const one of happened) {
        this.reasons.push(one.reason);
        if (one.type === "drained") this.happened.push(`drained ${one.server ?? one.pool}`);
        else if ("server" in one) this.happened.push(`${one.type} ${one.server}`);
        else if ("from" in one) this.happened.push(`${one.type} ${one.from} -> ${one.to}`);
        else this.happened.push(one.type);
      }
    }
    return this;
  }

  /** Probes that pass, each begun in the server's present generation. */
  pass(server: number, times = 1): this {
    for (let left = times; left > 0; left--) {
      const { generation } = this.server(server);
      this.apply({ type: "probe-passed", server, generation });
    }
    return this;
  }

  /** Probes that fail, by default because nobody answers. */
  fail(server: number, times = 1, reason = "ECONNREFUSED", silent = true): this {
    for (let left = times; left > 0; left--) {
      const { generation } = this.server(server);
      this.apply({ type: "probe-failed", server, generation, reason, silent });
    }
    return this;
  }

  strike(server: number, failure = REFUSED): this {
    return this.apply(struck(this.state, server, failure));
  }

  server(index: number): ServerState {
    return this.state.servers[index]!;
  }

  status(index: number): string {
    return this.server(index).health.status;
  }

  /** Forgets what happened so far, for the part of the story that counts. */
  from(now: number): this {
    this.happened = [];
    this.reasons = [];
    return this.at(now);
  }
}
