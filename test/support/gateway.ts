import { type Clock, systemClock } from "../../src/clock.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { Config } from "../../src/config/config.ts";
import type { Orders } from "../../src/control/orders.ts";
import type { ExchangeRecord, GatewayEvent } from "../../src/events.ts";
import { type Gateway, startGateway } from "../../src/gateway.ts";
import type { GroupState } from "../../src/failover/group-state.ts";
import type { Lookup } from "../../src/proxy/resolver.ts";
import type { SessionStore } from "../../src/proxy/session-bindings.ts";
import { CountingClock } from "./counting-clock.ts";
import { struck } from "./failover-groups.ts";
import { isTrueWithin } from "./waits.ts";

/** Where a server of a pool listens: a started server, a unix socket, or any url. */
export type ServerPlace =
  | { readonly port: number }
  | { readonly path: string }
  | { readonly url: string };

export interface GatewaySetup {
  /** Servers by pool, the primary first. */
  readonly pools?: Readonly<Record<string, readonly ServerPlace[]>>;
  /** Keys of every server: `max_fails`, `fail_timeout`, ... */
  readonly server?: object;
  /** Keys of a pool by its name: `release`, `expect_pool`, ... */
  readonly pool?: Readonly<Record<string, object>>;
  /** Further keys of the group `app`. */
  readonly group?: object;
  /** Further groups by their name. */
  readonly others?: object;
  /** Further keys of the configuration. */
  readonly top?: object;
  /** Texts of the error pages by their path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  /** Decides the moment of each goodbye within its share of `drain.spread`. */
  readonly random?: () => number;
  readonly sessions?: SessionStore;
  readonly stateFile?: string;
}

/** How long sockets may take to close after the gateway has stopped, in milliseconds. */
const CLOSING_MS = 3_000;

/** What Node calls them. */
const SOCKET_KINDS = new Set(["TCPSocketWrap", "TCPServerWrap", "PipeWrap", "PipeServerWrap"]);

/** Starts a gateway in this process, on a free port, from a configuration text. */
export async function startTestGateway(setup: GatewaySetup): Promise<TestGateway> {
  const before = openSockets();
  const clock = new CountingClock(setup.clock ?? systemClock);
  const heard = new Heard();
  const gateway = await startGateway(readConfig(setup), {
    clock,
    ...(setup.random && { random: setup.random }),
    ...(setup.sessions && { sessions: setup.sessions }),
    ...(setup.lookup && { lookup: setup.lookup }),
    ...(setup.stateFile !== undefined && { stateFile: setup.stateFile }),
    onExchange: (record) => heard.exchange(record),
    onEvent: (event) => heard.event(event),
  });
  return new TestGateway(gateway, clock, heard, before);
}

export class TestGateway implements AsyncDisposable {
  readonly port: number;
  /** The first address it listens on. */
  readonly address: string;
  readonly #gateway: Gateway;
  readonly #clock: CountingClock;
  readonly #heard: Heard;
  readonly #socketsBefore: number;

  constructor(gateway: Gateway, clock: CountingClock, heard: Heard, socketsBefore: number) {
    this.#gateway = gateway;
    this.#clock = clock;
    this.#heard = heard;
    this.#socketsBefore = socketsBefore;
    this.address = gateway.addresses[0] ?? "";
    this.port = Number(this.address.slice(this.address.lastIndexOf(":") + 1));
  }

  /** Where operators reach it; empty where it has no such address. */
  get adminAddress(): string {
    return this.#gateway.adminAddress ?? "";
  }

  /** What an operator can order. */
  get orders(): Orders {
    return this.#gateway.orders;
  }

  get alerts(): Gateway["alerts"] {
    return this.#gateway.alerts;
  }

  /** `blue`: the pool that serves. */
  get active(): string {
    return this.#gateway.groups.get("app").active;
  }

  /** The group `app` as it stands. */
  get group(): GroupState {
    return this.#gateway.groups.get("app");
  }

  get events(): readonly GatewayEvent[] {
    return this.#heard.events;
  }

  get exchanges(): readonly ExchangeRecord[] {
    return this.#heard.exchanges;
  }

  get connections(): number {
    return this.#gateway.connections;
  }

  /** Waits for the record of the n-th exchange to end, from 0. */
  async exchange(n = 0): Promise<ExchangeRecord> {
    return await this.#heard.nth(n);
  }

  /** How many requests of the group `app` wait. */
  get waiting(): number {
    return this.#gateway.waitingOf("app");
  }

  /** `blue up`, `green down`: every server's health in the order of the pools. */
  get servers(): readonly string[] {
    return this.serversOf("app");
  }

  serversOf(group: string): readonly string[] {
    const { servers } = this.#gateway.groups.get(group);
    return servers.map(({ spec, health }) => `${spec.pool} ${health.status}`);
  }

  /** `server-down blue`, `failover blue -> green`: what happened so far, in short. */
  get happened(): readonly string[] {
    return this.events.map((event) => {
      if ("pool" in event) return `${event.type} ${event.pool}`;
      return "from" in event ? `${event.type} ${event.from} -> ${event.to}` : event.type;
    });
  }

  /** `blue 2`, `green 0`: the tunnels of every server in the order of the pools. */
  get tunnels(): readonly string[] {
    return this.#gateway.tunnels.map(({ pool, tunnels }) => `${pool} ${tunnels}`);
  }

  /** How many timers run. */
  get timers(): number {
    return this.#clock.pending;
  }

  /** Another configuration takes over; of `setup` its clock, lookup and random are of no meaning here. */
  async reload(setup: GatewaySetup): Promise<void> {
    const outcome = await this.#gateway.apply(readConfig(setup));
    if (!outcome.ok) throw new Error(outcome.lines.join("\n"));
  }

  stop(): Promise<void> {
    return this.#gateway.stop();
  }

  /** Breaks what a stop() still waits for. */
  destroy(): void {
    this.#gateway.destroy();
  }

  /** As an operator: no new exchanges for this server, by its place in the order of the pools. */
  drain(server: number): void {
    this.#gateway.groups.apply("app", { type: "admin-set", server, admin: "drain" });
  }

  /** A strike from nowhere against a server, by its place in the order of the pools. */
  strike(server: number, group = "app"): void {
    this.#gateway.groups.apply(group, struck(this.#gateway.groups.get(group), server));
  }

  /** As an operator: nothing more for this server. */
  maintain(server: number): void {
    this.#gateway.groups.apply("app", { type: "admin-set", server, admin: "maint" });
  }

  /** As an operator: this server may serve again. */
  makeReady(server: number): void {
    this.#gateway.groups.apply("app", { type: "admin-set", server, admin: "ready" });
  }

  /** As an operator: makes this pool the primary. */
  switchTo(to: string): void {
    this.#gateway.groups.apply("app", { type: "switched", to });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    let hasStopped = false;
    const stopped = this.#gateway.stop().then(() => (hasStopped = true));
    if (!(await isTrueWithin(CLOSING_MS, () => hasStopped))) {
      const left = this.connections;
      this.#gateway.destroy();
      await stopped;
      throw new Error(`the gateway does not stop: ${left} client connections are open`);
    }
    const clean = await isTrueWithin(CLOSING_MS, () => openSockets() <= this.#socketsBefore);
    if (!clean) throw new Error(`${openSockets() - this.#socketsBefore} sockets were left open`);
    if (this.#clock.pending > 0) throw new Error(`${this.#clock.pending} timers were left`);
  }
}

class Heard {
  readonly exchanges: ExchangeRecord[] = [];
  readonly events: GatewayEvent[] = [];
  #waiting: (() => void)[] = [];

  exchange(record: ExchangeRecord): void {
    this.exchanges.push(record);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Of its own reloads a test knows. */
  event(event: GatewayEvent): void {
    if (event.type !== "reloaded") this.events.push(event);
  }

  async nth(n: number): Promise<ExchangeRecord> {
    for (;;) {
      const record = this.exchanges[n];
      if (record !== undefined) return record;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** The configuration that a gateway of this setup starts with. */
export function readConfig(setup: GatewaySetup): Config {
  // Every YAML reader takes JSON.
  const text = JSON.stringify({
    listen: [{ address: "127.0.0.1:0" }],
    access_log: "off",
    event_log: { file: "/dev/null", level: "error" },
    workers: 0,
    // Whoever breaks servers on purpose knows.
    alerts: { error_rate: { threshold: "100%" } },
    ...setup.top,
    groups: { app: { pools: poolsOf(setup), ...setup.group }, ...setup.others },
  });
  const readText = (path: string): string => {
    const file = setup.files?.[path];
    if (file === undefined) throw new Error(`no file ${path}`);
    return file;
  };
  const parsed = parseConfig(text, { file: "test.yaml", env: {}, readText });
  if (parsed.ok) return parsed.config;
  throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
}

function poolsOf({ pools = {}, pool = {}, server = {} }: GatewaySetup): object {
  const entries = Object.entries(pools).map(([name, places]) => {
    const servers = places.map((place) => ({ url: urlOf(place), ...server }));
    return [name, { servers, ...pool[name] }];
  });
  return Object.fromEntries(entries);
}

function urlOf(place: ServerPlace): string {
  if ("url" in place) return place.url;
  return "path" in place ? `http://unix:${place.path}` : `http://127.0.0.1:${place.port}`;
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => SOCKET_KINDS.has(kind)).length;
}
