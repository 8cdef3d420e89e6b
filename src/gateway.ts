import { type Clock, systemClock } from "./clock.ts";
import type { Address, Config } from "./config/config.ts";
import { describeChanges } from "./config/describe-changes.ts";
import { reuseUnchanged } from "./config/reuse-unchanged.ts";
import type { ConfigIdentity, Control, LastProbe, Outcome, ServerLoad } from "./control/control.ts";
import { type AdminServer, startAdminServer } from "./control/admin-server.ts";
import { Reloader } from "./control/reloader.ts";
import type { ExchangeRecord, GatewayEvent } from "./events.ts";
import { Groups } from "./failover/groups.ts";
import { openAccessLog } from "./observe/access-log.ts";
import { type EventLog, openEventLog } from "./observe/event-log.ts";
import { type Probes, startProbes } from "./probe/probes.ts";
import { type Rechecks, startRechecks } from "./probe/rechecks.ts";
import {
  bindAddress,
  type BoundAddress,
  inheritAddress,
  keyOf,
  release,
  widen,
} from "./process/bound-address.ts";
import type { Crew, Edition, WorkerFacts } from "./process/crew.ts";
import { countWorkers } from "./process/count-workers.ts";
import { LocalCrew } from "./process/local-crew.ts";
import type { Tell } from "./process/service.ts";
import { Supervisor } from "./process/supervisor.ts";
import type { Launch } from "./process/worker-process.ts";
import { createCookieKey } from "./proxy/cookie-affinity.ts";
import { DeadlineWheel } from "./proxy/deadline-wheel.ts";
import { type Lookup, Resolver } from "./proxy/resolver.ts";
import { SessionBindings, type SessionStore } from "./proxy/session-bindings.ts";

/** Milliseconds that an admin address is still served after a reload has moved it. */
const OLD_DOOR_MS = 2_000;

/** How many tunnels are open to a server. */
export interface TunnelCount {
  readonly group: string;
  readonly pool: string;
  readonly server: string;
  readonly tunnels: number;
}

/** What came of reading a configuration again. */
export type Reading =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly hash: string;
      /** For people: warnings, and groups that stay as they were. */
      readonly remarks: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface GatewayOptions {
  readonly clock?: Clock;
  /** Names to addresses; the system's by default. */
  readonly lookup?: Lookup;
  /** From 0 up to 1, for the jitter of goodbyes and probes. */
  readonly random?: () => number;
  /** Where `affinity: socketio` finds sessions, where all is in one process. */
  readonly sessions?: SessionStore;
  /** Every exchange, where all is in one process. */
  readonly onExchange?: (record: ExchangeRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
  /** The program's own. */
  readonly version?: string;
  /** Of the first configuration. */
  readonly hash?: string;
  /** Reads the configuration for a reload. */
  readonly read?: (previous: Config) => Reading;
  /** Descriptors of sockets that a service manager has opened; those of `listen` are used. */
  readonly inherited?: readonly number[];
  /** Starts a worker; without it, and with `workers: 0`, everything is in this process. */
  readonly launch?: Launch;
  /** Of programs that the configuration names. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts everything that `config` asks for; rejects, with nothing left behind, where an address or a log cannot be had. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = new Gateway(config, options);
  await gateway.start();
  return gateway;
}

/** A gateway that runs: the parts, put together. */
export class Gateway implements Control {
  /** Every group as it stands now. */
  readonly groups: Groups;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** What the attempts to reload came to so far, whoever asked for them. */
  readonly reloads = { ok: 0, failed: 0 };
  readonly #options: GatewayOptions;
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  /** For the limits of checks: it books no stall of ours as theirs. */
  readonly #wheel: DeadlineWheel;
  readonly #crew: Crew;
  readonly #reloader = new Reloader(() => this.#reload());
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  #eventLog: EventLog;
  #config: Config;
  #identity: ConfigIdentity;
  #bound: readonly BoundAddress[] = [];
  #admin: AdminServer | undefined;
  /** Closes, at once, the admin address that a reload has left. */
  #closeOldDoor: () => void = () => {};
  #rechecks: Rechecks | undefined;
  #probes: Probes | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, options: GatewayOptions) {
    this.#options = options;
    this.#config = config;
    this.#clock = options.clock ?? systemClock;
    this.startedAt = this.#clock.wall();
    this.#identity = { number: 1, hash: options.hash ?? "", since: this.startedAt };
    this.#eventLog = openEventLog(config.eventLog, this.#clock);
    this.#wheel = new DeadlineWheel(this.#clock);
    this.#resolver = new Resolver(this.#clock, options.lookup);
    this.groups = new Groups(() => this.#clock.now());
    this.groups.load(config.groups.map((group) => group.spec));
    this.#crew = this.#createCrew();
    this.groups.subscribe(({ happened }) => {
      for (const event of happened) this.#tellEvent(event);
    });
  }

  get addresses(): readonly string[] {
    return this.#config.listen.flatMap((address) => {
      const bound = this.#bound.find(({ key }) => key === keyOf(address));
      return bound === undefined ? [] : [bound.shown];
    });
  }

  get config(): ConfigIdentity {
    return this.#identity;
  }

  get workers(): readonly WorkerFacts[] {
    return this.#crew.workers;
  }

  get connections(): number {
    return this.#crew.connections;
  }

  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** For every server, in the order configured. */
  get tunnels(): readonly TunnelCount[] {
    return Array.from(this.groups).flatMap(({ spec, servers }) =>
      servers.map(({ spec: { pool, key, address } }) => {
        const { tunnels } = this.loadOf(spec.name, key);
        return { group: spec.name, pool, server: address, tunnels };
      }),
    );
  }

  loadOf(group: string, serverKey: string): ServerLoad {
    const mine = this.#crew.loads.filter((one) => one.group === group && one.server === serverKey);
    return {
      inFlight: mine.reduce((sum, { inFlight }) => sum + inFlight, 0),
      tunnels: mine.reduce((sum, { tunnels }) => sum + tunnels, 0),
    };
  }

  /** What the pool runs, as its servers told last, else as configured. */
  releaseOf(group: string, pool: string): string | undefined {
    const keys = this.groups.find(group)?.servers.filter(({ spec }) => spec.pool === pool) ?? [];
    const told = this.#crew.loads.findLast(
      (one) =>
        one.group === group &&
        one.release !== undefined &&
        keys.some(({ spec }) => spec.key === one.server),
    );
    const config = this.#config.groups.find(({ name }) => name === group);
    return told?.release ?? config?.releases.get(pool);
  }

  /** Where operators reach it, with the port really bound. */
  get adminAddress(): string | undefined {
    return this.#admin?.address;
  }

  async start(): Promise<void> {
    try {
      this.#bound = await this.#bind(this.#config);
      this.#probeAccessLog(this.#config);
      await this.#crew.start(this.#edition(1, this.#config, this.#bound));
      this.#admin = await this.#openAdmin(this.#config);
    } catch (error) {
      await this.#stop();
      throw error;
    }
    const common: Parameters<typeof startProbes>[0] = {
      groups: this.groups,
      clock: this.#clock,
      random: this.#options.random ?? Math.random,
      findAddress: (name) => this.#resolver.findAddress(name),
      setDeadline: (ms, expire) => this.#wheel.after(ms, expire),
      healthOf: (name, pool) => this.#groupConfig(name).health.get(pool),
      expectedOf: (name, pool) => this.#groupConfig(name).expect.get(pool),
      headBytes: () => this.#config.limits.serverHeadBytes,
      env: this.#options.env ?? {},
    };
    const timeoutsOf = (name: string) => this.#groupConfig(name).timeouts;
    this.#rechecks = startRechecks({ ...common, timeoutsOf });
    this.#probes = startProbes(common);
  }

  /** Undefined where none has ended yet. */
  lastProbeOf(group: string, serverKey: string): LastProbe | undefined {
    return this.#probes?.lastOf(group, serverKey);
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reload(): Promise<Outcome> {
    return this.#reloader.request();
  }

  /** Takes a configuration that is in order already; nothing changes where it cannot be served. */
  async apply(next: Config, hash = ""): Promise<Outcome> {
    const config = reuseUnchanged(this.#config, next);
    const changes = describeChanges(this.#config, config);
    if (changes.length === 0) return { ok: true, lines: ["nothing has changed"] };
    const number = this.#identity.number + 1;
    const before = this.#bound;
    let bound: readonly BoundAddress[] = before;
    let eventLog = this.#eventLog;
    let admin = this.#admin;
    try {
      bound = await this.#bind(config);
      if (config.accessLog !== this.#config.accessLog) this.#probeAccessLog(config);
      if (config.eventLog !== this.#config.eventLog) {
        eventLog = openEventLog(config.eventLog, this.#clock);
      }
      if (config.admin !== this.#config.admin) admin = await this.#openAdmin(config);
    } catch (error) {
      this.#releaseAllBut(before, bound);
      if (eventLog !== this.#eventLog) await eventLog.close();
      return refuse(describeError(error));
    }
    const edition = this.#edition(number, config, bound);
    const answer = await this.#crew.prepare(edition);
    if (!answer.ok || this.isStopping) {
      await this.#crew.abort();
      this.#releaseAllBut(before, bound);
      if (eventLog !== this.#eventLog) await eventLog.close();
      if (admin !== this.#admin) await admin?.stop();
      return refuse(answer.ok ? "the gateway stops" : answer.reason);
    }
    this.#config = config;
    this.#identity = { number, hash, since: this.#clock.wall() };
    this.#bound = bound;
    if (eventLog !== this.#eventLog) void this.#eventLog.close();
    this.#eventLog = eventLog;
    // Who asked for this over the old door still gets the answer there.
    if (admin !== this.#admin) this.#leaveDoor(this.#admin);
    this.#admin = admin;
    this.groups.load(config.groups.map((group) => group.spec));
    await this.#crew.commit(edition);
    this.#rechecks?.follow();
    this.#probes?.follow();
    this.#releaseAllBut(bound, before);
    this.#tellEvent({ type: "reloaded", config: number, reason: changes.join("; ") });
    return { ok: true, lines: changes };
  }

  async restart(): Promise<Outcome> {
    const answer = await this.#crew.restart();
    if (!answer.ok) {
      this.#tellEvent({ type: "restart-failed", reason: answer.reason });
      return refuse(answer.reason);
    }
    const pids = this.workers.filter(({ state }) => state === "serving").map(({ pid }) => pid);
    const reason = `new workers serve: processes ${pids.join(", ")}`;
    this.#tellEvent({ type: "restarted", reason });
    return { ok: true, lines: [reason] };
  }

  async switchTo(group: string, pool: string): Promise<Outcome> {
    const state = Array.from(this.groups).find(({ spec }) => spec.name === group);
    const isKnown = state?.pools.some(({ name }) => name === pool) ?? false;
    if (state === undefined || !isKnown) {
      const what =
        state === undefined ? `no group "${group}"` : `group "${group}" has no pool "${pool}"`;
      return { ok: false, kind: "unknown", lines: [what] };
    }
    const began = this.#clock.now();
    this.groups.apply(group, { type: "switched", to: pool });
    await this.#crew.settled();
    const ms = Math.round(this.#clock.now() - began);
    const { active } = this.groups.get(group);
    if (active !== pool) {
      const lines = [
        `${pool} is the primary of ${group}, but no server of it serves: ${active} does`,
      ];
      return { ok: false, kind: "failed", lines };
    }
    return { ok: true, lines: [`${pool} serves ${group}; every worker knows since ${ms} ms`] };
  }

  /** After a rotation of the logs: goes on in new files of the same names. */
  reopenLogs(): void {
    this.#crew.reopenLogs();
    this.#eventLog.reopen();
    this.#eventLog.info({}, "logs opened anew");
  }

  /** Accepts nothing more, lets exchanges end up to `shutdown_timeout`, leaves nothing behind. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Breaks what a stop() still waits for. */
  destroy(): void {
    this.#crew.destroy();
  }

  /** Leaves no process behind where it cannot wait for a stop(). */
  kill(): Promise<void> {
    return this.#crew.kill();
  }

  async #stop(): Promise<void> {
    const stopped = this.#crew.stop();
    // Whoever comes now is refused, not left waiting for somebody to accept.
    for (const bound of this.#bound) release(bound);
    await stopped;
    this.#closeOldDoor();
    await this.#admin?.stop();
    await this.#closeRest();
  }

  async #closeRest(): Promise<void> {
    this.#rechecks?.stop();
    this.#probes?.stop();
    this.#resolver.stop();
    this.#wheel.stop();
    await this.#eventLog.close();
  }

  async #reload(): Promise<Outcome> {
    const { read } = this.#options;
    if (read === undefined) return refuse("this gateway has no file to read");
    const reading = read(this.#config);
    const outcome: Outcome = reading.ok
      ? await this.apply(reading.config, reading.hash)
      : { ok: false, kind: "failed", lines: reading.problems };
    this.reloads[outcome.ok ? "ok" : "failed"] += 1;
    if (!outcome.ok) {
      const reason = outcome.lines.join("\n");
      this.#tellEvent({ type: "reload-rejected", config: this.#identity.number, reason });
      return outcome;
    }
    return reading.ok ? { ok: true, lines: [...reading.remarks, ...outcome.lines] } : outcome;
  }

  // ---- parts

  #createCrew(): Crew {
    const { launch } = this.#options;
    const cookieKey = createCookieKey();
    const tell: Tell = (level, fields, message) => this.#eventLog[level](fields, message);
    if (launch === undefined || this.#config.workers === 0) return this.#localCrew(cookieKey, tell);
    return new Supervisor({
      clock: this.#clock,
      groups: this.groups,
      launch,
      countOf: countWorkers,
      cookieKey,
      sessions: new SessionBindings(this.#clock),
      onTold: ({ level, fields, message }) => tell(level, fields, message),
      onEvent: (event) => this.#tellEvent(event),
    });
  }

  #localCrew(cookieKey: Uint8Array, tell: Tell): Crew {
    const { sessions, random = Math.random, onExchange = () => {} } = this.#options;
    return new LocalCrew({
      clock: this.#clock,
      groups: this.groups,
      sessions: sessions ?? new SessionBindings(this.#clock),
      cookieKey,
      resolver: this.#resolver,
      random,
      onExchange,
      tell,
    });
  }

  #edition(number: number, config: Config, addresses: readonly BoundAddress[]): Edition {
    return { number, config, addresses };
  }

  /** The addresses of a configuration, those that are held already as they are; all or none. */
  async #bind(config: Config): Promise<readonly BoundAddress[]> {
    const count = Math.max(1, countWorkers(config));
    const bound: BoundAddress[] = [];
    try {
      for (const address of config.listen) {
        const held = this.#bound.find(({ key }) => key === keyOf(address));
        if (held !== undefined) bound.push(widen(held, count));
        else bound.push(await this.#open(address, count));
      }
      return bound;
    } catch (error) {
      this.#releaseAllBut(this.#bound, bound);
      throw error;
    }
  }

  async #open(address: Address, count: number): Promise<BoundAddress> {
    const inherited = await inheritAddress(address, this.#options.inherited ?? []);
    return inherited ?? (await bindAddress(address, count));
  }

  #releaseAllBut(kept: readonly BoundAddress[], all: readonly BoundAddress[]): void {
    const keys = new Set(kept.map(({ key }) => key));
    for (const bound of all) if (!keys.has(bound.key)) release(bound);
  }

  #leaveDoor(old: AdminServer | undefined): void {
    this.#closeOldDoor();
    const stop = (): void => void old?.stop();
    const cancel = this.#clock.after(OLD_DOOR_MS, stop);
    this.#closeOldDoor = () => {
      cancel();
      stop();
    };
  }

  async #openAdmin({ admin }: Config): Promise<AdminServer | undefined> {
    if (admin === undefined) return undefined;
    return await startAdminServer(admin, this, {
      clock: this.#clock,
      version: this.#options.version ?? "",
      onError: (error) => this.#eventLog.error({ reason: error.message }, "admin request failed"),
    });
  }

  /** Finds out here, with the system's own words, whether workers will be able to write it. */
  #probeAccessLog({ accessLog }: Config): void {
    if (accessLog === undefined) return;
    void openAccessLog(accessLog, { clock: this.#clock }).close();
  }

  #groupConfig(name: string): Config["groups"][number] {
    const found = this.#config.groups.find((group) => group.name === name);
    if (found === undefined) throw new Error(`group "${name}" has no configuration`);
    return found;
  }

  #tellEvent(event: GatewayEvent): void {
    this.#eventLog.write(event);
    this.#options.onEvent?.(event);
    for (const listener of this.#listeners) listener(event);
  }
}

function refuse(reason: string): Outcome {
  return { ok: false, kind: "failed", lines: [reason] };
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
