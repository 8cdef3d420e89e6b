import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { GatewayEvent } from "../events.ts";
import { EVENT_MESSAGES } from "./event-log.ts";

/** What is true at the moment of a scrape. */
export interface MetricFacts {
  readonly config: { readonly number: number; readonly hash: string };
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly workers: readonly { readonly state: string; readonly crashes: number }[];
  readonly connections: number;
  readonly pools: readonly PoolFacts[];
  readonly servers: readonly ServerFacts[];
}

export interface PoolFacts {
  readonly group: string;
  readonly pool: string;
  readonly isActive: boolean;
}

export interface ServerFacts {
  readonly group: string;
  readonly pool: string;
  readonly server: string;
  readonly isUp: boolean;
  readonly isAvailable: boolean;
  readonly inFlight: number;
  readonly tunnels: number;
}

const WORKER_STATES = ["starting", "serving", "draining", "waiting"];
const SERVER = ["group", "pool", "server"] as const;

/** The gateway's metrics, as Prometheus reads them. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #readFacts: () => MetricFacts;
  readonly #registry = new Registry();
  readonly #made = createAll(this.#registry);

  constructor(version: string, readFacts: () => MetricFacts) {
    this.#readFacts = readFacts;
    this.#made.buildInfo.set({ version, node: process.versions.node }, 1);
    // A counter that begins with its first event hides that event from rate().
    for (const type of Object.keys(EVENT_MESSAGES)) this.#made.events.inc({ type }, 0);
  }

  count(event: GatewayEvent): void {
    this.#made.events.inc({ type: event.type });
  }

  /** Everything as it is now, and what this process uses. */
  async text(): Promise<string> {
    this.#set(this.#readFacts());
    return `${await this.#registry.metrics()}\n${await processRegistry().metrics()}`;
  }

  /** Every value anew, so that none is left of what is gone. */
  #set({ config, reloads, workers, connections, pools, servers }: MetricFacts): void {
    const made = this.#made;
    for (const metric of made.ofFacts) metric.reset();
    made.configNumber.set(config.number);
    made.configInfo.set({ hash: config.hash }, 1);
    made.reloads.inc({ result: "ok" }, reloads.ok);
    made.reloads.inc({ result: "failed" }, reloads.failed);
    for (const state of WORKER_STATES) {
      made.workers.set({ state }, workers.filter((worker) => worker.state === state).length);
    }
    made.crashes.inc(workers.reduce((sum, worker) => sum + worker.crashes, 0));
    made.connections.set(connections);
    for (const { isActive, ...labels } of pools) made.activePool.set(labels, isActive ? 1 : 0);
    for (const { isUp, isAvailable, inFlight, tunnels, ...labels } of servers) {
      made.up.set(labels, isUp ? 1 : 0);
      made.available.set(labels, isAvailable ? 1 : 0);
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
    connections: gauge("client_connections", "Client connections open.", []),
    activePool: gauge("group_active_pool", "1 for the pool that serves its group.", [
      "group",
      "pool",
    ]),
    up: gauge("server_up", "1 where a server is up or suspect.", SERVER),
    available: gauge("server_available", "1 where a request may be sent to a server.", SERVER),
    inFlight: gauge("in_flight", "Exchanges in flight to a server.", SERVER),
    tunnels: gauge("tunnels", "Tunnels open to a server.", SERVER),
  };
  return {
    ...ofFacts,
    ofFacts: Object.values(ofFacts),
    buildInfo: gauge("build_info", "Versions of the gateway and of Node.", ["version", "node"]),
    events: counter("events_total", "What happened, by the type of event.", ["type"]),
  };
}

let ofProcess: Registry | undefined;

/** One for the process, however many gateways it has: what it watches with cannot be stopped. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
