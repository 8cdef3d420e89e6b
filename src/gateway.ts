import { type Clock, systemClock } from "./clock.ts";
import type { Address, Config } from "./config/config.ts";
import { describeChanges } from "./config/describe-changes.ts";
import { reuseUnchanged } from "./config/reuse-unchanged.ts";
import type { ConfigIdentity, Control, LastProbe, Outcome, ServerLoad } from "./control/control.ts";
import { AdminDoor } from "./control/admin-door.ts";
import { type AdminServer, startAdminServer } from "./control/admin-server.ts";
import { Reloader } from "./control/reloader.ts";
import type { ExchangeRecord, GatewayEvent } from "./events.ts";
import { Groups } from "./failover/groups.ts";
import { openAccessLog } from "./observe/access-log.ts";
import { type EventLog, openEventLog } from "./observe/event-log.ts";
import { type Probes, startProbes } from "./probe/probes.ts";
import { type Rechecks, startRechecks } from "./probe/rechecks.ts";
import type { BoundAddress } from "./process/bound-address.ts";
import type { Crew, Edition, WorkerFacts } from "./process/crew.ts";
import { countWorkers } from "./process/count-workers.ts";
import { HeldAddresses } from "./process/held-addresses.ts";
import { LocalCrew } from "./process/local-crew.ts";
import type { Tell } from "./process/service.ts";
import { Supervisor } from "./process/supervisor.ts";
import type { Launch } from "./process/worker-process.ts";
import { createCookieKey } from "./proxy/cookie-affinity.ts";
import { DeadlineWheel } from "./proxy/deadline-wheel.ts";
import { type Lookup, Resolver } from "./proxy/resolver.ts";
import { SessionBindings, type SessionStore } from "./proxy/session-bindings.ts";

const OTHER_CREW = "a change from or to `workers: 0` needs a new start of the gateway";

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
  /** An address or a log that cannot be had, in words; default: the error's own. */
  readonly explain?: (error: unknown) => string;
  /** Descriptors of sockets that a service manager has opened; those at addresses of `listen` are used. */
  readonly passed?: readonly number[];
  /** Starts a worker; without it, and with `workers: 0`, everything is in this process. */
  readonly launch?: Launch;
  /** Of programs that the configuration names. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a configuration needs beyond those who serve. */
interface Parts {
  readonly bound: readonly BoundAddress[];
  readonly eventLog: EventLog;
  readonly admin: AdminServer | undefined;
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
  /** What the reload to the present configuration came to. */
  #changes: readonly string[] = [];
  #addresses = new HeldAddresses([]);
  readonly #door: AdminDoor;
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
    this.#door = new AdminDoor(this.#clock, (address) => this.#startAdmin(address));
    this.groups.subscribe(({ happened }) => {
      for (const event of happened) this.#tellEvent(event);
    });
  }

  get addresses(): readonly string[] {
    return this.#addresses.inService.map(({ shown }) => shown);
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
    return this.#door.server?.address;
  }

  async start(): Promise<void> {
    try {
      this.#addresses = new HeldAddresses(this.#options.passed ?? []);
      const bound = await this.#bind(this.#config);
      this.#addresses.serve(bound);
      for (const address of this.#addresses.unused) {
        this.#eventLog.warn({ address }, "socket from the service manager is not in use");
      }
      this.#probeAccessLog(this.#config);
      await this.#crew.start({ config: this.#config, addresses: bound });
      this.#door.serve(await this.#door.open(this.#config.admin));
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
    if (changes.length === 0) return this.#keepConfig(hash);
    if (this.isStopping) return refuse("the gateway stops");
    if (this.#needsOtherCrew(config)) {
      return { ok: false, kind: "refused", lines: [OTHER_CREW] };
    }
    let parts: Parts;
    try {
      parts = await this.#openParts(config);
    } catch (error) {
      return refuse((this.#options.explain ?? describeError)(error));
    }
    const number = this.#identity.number + 1;
    const edition = { config, addresses: parts.bound };
    const answer = await this.#crew.prepare(edition);
    if (!answer.ok || this.isStopping) {
      await this.#crew.abort();
      await this.#discard(parts);
      return refuse(answer.ok ? "the gateway stops" : answer.reason);
    }
    this.#identity = { number, hash, since: this.#clock.wall() };
    this.#changes = changes;
    await this.#commit(edition, parts);
    this.#tellEvent({ type: "reloaded", config: number, hash, reason: changes.join("; ") });
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
    const active = this.groups.find(group)?.active ?? "no pool";
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
    this.#addresses.close();
    await stopped;
    await this.#door.close();
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
    for (const reason of reading.ok ? reading.remarks : []) {
      this.#eventLog.warn({ reason }, "configuration warning");
    }
    if (!outcome.ok) {
      const reason = outcome.lines.join("\n");
      const { number: config, hash } = this.#identity;
      this.#tellEvent({ type: "reload-rejected", config, hash, reason });
      return outcome;
    }
    return reading.ok ? { ok: true, lines: [...reading.remarks, ...outcome.lines] } : outcome;
  }

  /** Mostly the file was seen to change before somebody asked, who is told what that came to. */
  #keepConfig(hash: string): Outcome {
    this.#identity = { ...this.#identity, hash };
    const since = `since configuration ${this.#identity.number}: ${this.#changes.join("; ")}`;
    const line = `nothing has changed${this.#changes.length === 0 ? "" : ` ${since}`}`;
    return { ok: true, lines: [line] };
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

  /** One process can become no workers, nor workers one process. */
  #needsOtherCrew(next: Config): boolean {
    const isSingle = countWorkers(this.#config) === 0;
    return this.#options.launch !== undefined && isSingle !== (countWorkers(next) === 0);
  }

  #bind(config: Config): Promise<readonly BoundAddress[]> {
    return this.#addresses.bind(config.listen, Math.max(1, countWorkers(config)));
  }

  /** What another configuration needs, as far as it is what there is already; all or nothing. */
  async #openParts(config: Config): Promise<Parts> {
    let parts = this.#partsInService();
    try {
      parts = { ...parts, bound: await this.#bind(config) };
      if (config.accessLog !== this.#config.accessLog) this.#probeAccessLog(config);
      if (config.eventLog !== this.#config.eventLog) {
        parts = { ...parts, eventLog: openEventLog(config.eventLog, this.#clock) };
      }
      if (config.admin !== this.#config.admin) {
        parts = { ...parts, admin: await this.#door.open(config.admin) };
      }
      return parts;
    } catch (error) {
      await this.#discard(parts);
      throw error;
    }
  }

  #partsInService(): Parts {
    return { bound: this.#addresses.inService, eventLog: this.#eventLog, admin: this.#door.server };
  }

  /** Closes what was opened for a configuration that is not taken. */
  async #discard({ bound, eventLog, admin }: Parts): Promise<void> {
    this.#addresses.discard(bound);
    if (eventLog !== this.#eventLog) await eventLog.close();
    await this.#door.discard(admin);
  }

  /** Nothing of it can fail: every worker has made ready. */
  async #commit(edition: Edition, { bound, eventLog, admin }: Parts): Promise<void> {
    const { config } = edition;
    this.#config = config;
    const closeOthers = this.#addresses.serve(bound);
    if (eventLog !== this.#eventLog) void this.#eventLog.close();
    this.#eventLog = eventLog;
    this.#door.serve(admin);
    this.groups.load(config.groups.map((group) => group.spec));
    const committed = this.#crew.commit(edition);
    this.#rechecks?.follow();
    this.#probes?.follow();
    await committed;
    closeOthers();
  }

  #startAdmin(address: Address): Promise<AdminServer> {
    return startAdminServer(address, this, {
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
