import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { EVENT_MESSAGES } from "./event-messages.ts";
import type { PoolTraffic } from "./pool-traffic.ts";
import { durationText, TrafficMetrics } from "./traffic-metrics.ts";

/** What is true at the moment of a scrape. */
export interface MetricFacts {
  readonly config: { readonly number: number; readonly hash: string };
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly workers: readonly WorkerFacts[];
  readonly connections: number;
  readonly uncountedMs: number;
  readonly groups: readonly GroupFacts[];
  readonly traffic: readonly PoolTraffic[];
  readonly pools: readonly PoolFacts[];
  readonly servers: readonly ServerFacts[];
}

interface WorkerFacts {
  readonly slot: number;
  readonly state: string;
  readonly crashes: number;
  readonly use: WorkerUse | undefined;
}

interface WorkerUse {
  readonly cpuSeconds: number;
  readonly busySeconds: number;
  readonly residentBytes: number;
  readonly delayMs: number;
}

export interface GroupFacts {
  readonly group: string;
  readonly waiting: number;
  readonly promises: readonly PromiseFacts[];
}

interface PromiseFacts {
  readonly objective: string;
  readonly target: number;
  readonly budgetLeft: number;
}

export interface PoolFacts {
  readonly group: string;
  readonly pool: string;
  readonly isActive: boolean;
  readonly isAsleep: boolean;
}

export interface ServerFacts {
  readonly group: string;
  readonly pool: string;
  readonly server: string;
  readonly isUp: boolean;
  readonly isAvailable: boolean;
  readonly strikes: number;
  readonly inFlight: number;
  readonly tunnels: number;
}

const WORKER_STATES = ["starting", "serving", "draining", "waiting"];
/** What happened; beside these, its own facts. */
interface CountedEvent {
  readonly type: string;
  readonly group?: string | undefined;
}

/** Events that change which pool serves a group. */
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ["failover", "failover"],
  ["failback", "failback"],
  ["switched", "ordered"],
]);
const WORKER = ["worker"] as const;
const SERVER = ["group", "pool", "server"] as const;

/** The gateway's metrics, as Prometheus reads them. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #readFacts: () => MetricFacts;
  readonly #registry = new Registry();
  readonly #made = createAll(this.#registry);
  readonly #traffic = new TrafficMetrics(this.#registry);

  constructor(version: string, readFacts: () => MetricFacts) {
    this.#readFacts = readFacts;
    this.#made.buildInfo.set({ version, node: process.versions.node }, 1);
    // A counter that begins with its first event hides that event from rate().
    for (const type of Object.keys(EVENT_MESSAGES)) this.#made.events.inc({ type }, 0);
  }

  count({ type, group }: CountedEvent): void {
    this.#made.events.inc({ type });
    const kind = SWITCHES.get(type);
    if (kind !== undefined && group !== undefined) this.#made.switches.inc({ group, kind });
  }

  /** Everything as it is now, and what this process uses. */
  async text(): Promise<string> {
    const facts = this.#readFacts();
    this.#set(facts);
    const texts = [
      await this.#registry.metrics(),
      durationText(facts.traffic),
      await processRegistry().metrics(),
    ];
    return texts.join("\n");
  }

  /** Every value anew, so that none is left of what is gone. */
  #set({ config, reloads, workers, connections, uncountedMs, ...facts }: MetricFacts): void {
    const made = this.#made;
    for (const metric of made.ofFacts) metric.reset();
    made.configNumber.set(config.number);
    made.configInfo.set({ hash: config.hash }, 1);
    made.reloads.inc({ result: "ok" }, reloads.ok);
    made.reloads.inc({ result: "failed" }, reloads.failed);
    for (const state of WORKER_STATES) {
      made.workers.set({ state }, workers.filter((worker) => worker.state === state).length);
    }
    this.#setUse(workers);
    made.crashes.inc(workers.reduce((sum, worker) => sum + worker.crashes, 0));
    made.uncounted.inc(uncountedMs / 1000);
    made.connections.set(connections);
    this.#setGroups(facts);
  }

  /** Of those that serve: one that leaves or starts has another in its slot. */
  #setUse(workers: readonly WorkerFacts[]): void {
    const made = this.#made;
    for (const { slot, state, use } of workers) {
      if (use === undefined || state !== "serving") continue;
      const labels = { worker: `${slot}` };
      made.cpu.inc(labels, use.cpuSeconds);
      made.busy.inc(labels, use.busySeconds);
      made.resident.set(labels, use.residentBytes);
      made.delay.set(labels, use.delayMs / 1000);
    }
  }

  #setGroups({
    groups,
    pools,
    servers,
    traffic,
  }: Pick<MetricFacts, "groups" | "pools" | "servers" | "traffic">): void {
    const made = this.#made;
    this.#traffic.set(traffic);
    for (const { group, waiting, promises } of groups) {
      made.held.set({ group }, waiting);
      for (const { objective, target, budgetLeft } of promises) {
        made.target.set({ group, objective }, target);
        made.budget.set({ group, objective }, budgetLeft);
      }
      for (const kind of SWITCHES.values()) made.switches.inc({ group, kind }, 0);
    }
    for (const { isActive, isAsleep, ...labels } of pools) {
      made.activePool.set(labels, isActive ? 1 : 0);
      made.asleep.set(labels, isAsleep ? 1 : 0);
    }
    for (const { isUp, isAvailable, strikes, inFlight, tunnels, ...labels } of servers) {
      made.up.set(labels, isUp ? 1 : 0);
      made.available.set(labels, isAvailable ? 1 : 0);
      made.strikes.set(labels, strikes);
      made.inFlight.set(labels, inFlight);
      made.tunnels.set(labels, tunnels);
    }
  }
}

function createAll(registry: Registry) {
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge<Label>({ name: `understudy_${name}`, help, labelNames, registers: [registry] });
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ) => new Counter<Label>({ name: `understudy_${name}`, help, labelNames, registers: [registry] });
  const ofFacts = {
    configNumber: gauge("config_number", "Number of the configuration in service.", []),
    configInfo: gauge("config_info", "Hash of the configuration in service.", ["hash"]),
    reloads: counter("config_reloads_total", "Attempts to reload, by what they came to.", [
      "result",
    ]),
    workers: gauge(
      "workers",
      "Worker processes by state; none where one process does everything.",
      ["state"],
    ),
    crashes: counter("worker_crashes_total", "Crashes of worker processes.", []),
    cpu: counter("worker_cpu_seconds_total", "CPU time of each worker that serves.", WORKER),
    busy: counter(
      "worker_busy_seconds_total",
      "Time that a worker's event loop was at work: at 1 a second it can take no more.",
      WORKER,
    ),
    resident: gauge("worker_resident_memory_bytes", "Memory of each worker.", WORKER),
    delay: gauge(
      "worker_loop_delay_seconds",
      "Longest delay of a timer in a worker's event loop within the last ten seconds.",
      WORKER,
    ),
    uncounted: counter(
      "worker_uncounted_seconds_total",
      "Service of workers that crashed before they had told of it: what is missing in the counters of requests.",
      [],
    ),
    connections: gauge("client_connections", "Client connections open.", []),
    activePool: gauge("group_active_pool", "1 for the pool that serves its group.", [
      "group",
      "pool",
    ]),
    asleep: gauge("pool_asleep", "1 for a cold standby that is not needed.", ["group", "pool"]),
    up: gauge("server_up", "1 where a server is up or suspect.", SERVER),
    available: gauge("server_available", "1 where a request may be sent to a server.", SERVER),
    strikes: gauge("server_strikes", "Strikes that stand against a server just now.", SERVER),
    held: gauge(
      "held_requests",
      "Requests that wait for a server, or for the door of their group.",
      ["group"],
    ),
    target: gauge("slo_target_ratio", "Part of the requests that a group promises to be good.", [
      "group",
      "objective",
    ]),
    budget: gauge(
      "slo_error_budget_left_ratio",
      "Part of the error budget of 30 days that is left; below 0 the promise is broken.",
      ["group", "objective"],
    ),
    inFlight: gauge("in_flight", "Exchanges in flight to a server.", SERVER),
    tunnels: gauge("tunnels", "Tunnels open to a server.", SERVER),
  };
  return {
    ...ofFacts,
    ofFacts: Object.values(ofFacts),
    buildInfo: gauge("build_info", "Versions of the gateway and of Node.", ["version", "node"]),
    switches: counter("switches_total", "Changes of the pool that serves a group.", [
      "group",
      "kind",
    ]),
    events: counter("events_total", "What happened, by the type of event.", ["type"]),
  };
}

/** Gauges that are called `total`; the same without it are there by type. */
const MISNAMED = ["handles", "requests", "resources"].map((what) => `nodejs_active_${what}_total`);

let ofProcess: Registry | undefined;

/** One for the process, however many gateways it has: what it watches with cannot be stopped. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
    for (const name of MISNAMED) ofProcess.removeSingleMetric(name);
  }
  return ofProcess;
}
