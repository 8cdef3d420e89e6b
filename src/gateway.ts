import { act } from "./action/act.ts";
import type { Action, ActionFacts, ActionResult } from "./action/action.ts";
import { AlertFile, alertFileOf } from "./alert/alert-file.ts";
import { Alerts } from "./alert/alerts.ts";
import { deliver } from "./alert/deliver.ts";
import type { PoolFacts } from "./alert/signals.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Address, Config } from "./config/config.ts";
import { describeChanges } from "./config/describe-changes.ts";
import { reuseUnchanged } from "./config/reuse-unchanged.ts";
import { AdminDoor } from "./control/admin-door.ts";
import { type AdminServer, startAdminServer } from "./control/admin-server.ts";
import type { ConfigIdentity, Control, LastProbe, Outcome, ServerLoad } from "./control/control.ts";
import { EventFile, eventFileOf } from "./control/event-file.ts";
import { EventHistory, type KeptEvent } from "./control/event-history.ts";
import { Hooks } from "./control/hooks.ts";
import { Operator } from "./control/operator.ts";
import { type ProofRequest, proofRequest } from "./control/proof-request.ts";
import { Prover } from "./control/prover.ts";
import { Reloader } from "./control/reloader.ts";
import { mergeGroups } from "./control/runtime-groups.ts";
import { Standbys } from "./control/standbys.ts";
import { StateFile } from "./control/state-file.ts";
import { StateKeeper } from "./control/state-keeper.ts";
import { StateMemory } from "./control/state-memory.ts";
import type { StateStore } from "./control/state-store.ts";
import { StatusFiles } from "./control/status-files.ts";
import { TrafficHistory } from "./control/traffic-history.ts";
import type { ExchangeRecord, GatewayEvent } from "./events.ts";
import { Groups } from "./failover/groups.ts";
import type { ServerState } from "./failover/server.ts";
import { openAccessLog } from "./observe/access-log.ts";
import type { PoolTraffic } from "./observe/pool-traffic.ts";
import { type EventLog, openEventLog } from "./observe/event-log.ts";
import { type Probes, startProbes } from "./probe/probes.ts";
import { type Rechecks, startRechecks } from "./probe/rechecks.ts";
import type { BoundAddress } from "./process/bound-address.ts";
import { countWorkers } from "./process/count-workers.ts";
import type { Crew, Edition, WorkerFacts } from "./process/crew.ts";
import type { ExchangeStory } from "./process/exchange-story.ts";
import { HeldAddresses } from "./process/held-addresses.ts";
import { LocalCrew } from "./process/local-crew.ts";
import { proofPrefix } from "./process/proof-news.ts";
import { Serial } from "./process/serial.ts";
import type { Tell } from "./process/service.ts";
import { Supervisor } from "./process/supervisor.ts";
import type { Launch } from "./process/worker-process.ts";
import { createCookieKey } from "./proxy/cookie-affinity.ts";
import { DeadlineWheel } from "./proxy/deadline-wheel.ts";
import { type Lookup, Resolver } from "./proxy/resolver.ts";
import { SessionBindings, type SessionStore } from "./proxy/session-bindings.ts";
import { BudgetFile, budgetFileOf } from "./slo/budget-file.ts";
import type { ServiceLevel } from "./slo/service-level.ts";
import { ServiceLevels } from "./slo/service-levels.ts";
import { createRouter } from "./routing/router.ts";

const OTHER_STATE = "another `state_dir` needs a new start of the gateway";
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
  /** Path of the file in which orders outlive this process; without it they do not. */
  readonly stateFile?: string;
  /** Who sends alerts, for their readers: `understudy on web1`. */
  readonly name?: string;
  /** Of the configuration; where paths in it begin. Default: where this process runs. */
  readonly folder?: string;
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
  readonly orders: Operator;
  readonly alerts: Alerts;
  readonly serviceLevels: ServiceLevels;
  readonly history: EventHistory;
  readonly #options: GatewayOptions;
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  /** For the limits of checks: it books no stall of ours as theirs. */
  readonly #wheel: DeadlineWheel;
  readonly #crew: Crew;
  readonly #applies = new Serial();
  readonly #reloader = new Reloader(() => this.#reload());
  readonly #listeners = new Set<(event: KeptEvent) => void>();
  readonly #state: StateStore;
  readonly #keeper: StateKeeper;
  readonly #prover: Prover;
  readonly #standbys: Standbys;
  readonly #hooks: Hooks;
  readonly #statusFiles: StatusFiles;
  readonly #stopping = new AbortController();
  readonly #history: TrafficHistory;
  readonly #cookieKey = createCookieKey();
  #eventLog: EventLog;
  #config: Config;
  /** As its file has it; that in service has groups of run time, too. */
  #file: Config;
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
    this.#file = config;
    this.#clock = options.clock ?? systemClock;
    this.startedAt = this.#clock.wall();
    this.#identity = { number: 1, hash: options.hash ?? "", since: this.startedAt };
    this.#eventLog = openEventLog(config.eventLog, this.#clock);
    this.history = new EventHistory(this.#clock, this.#openEventFile());
    this.#wheel = new DeadlineWheel(this.#clock);
    this.#resolver = new Resolver(this.#clock, options.lookup);
    this.groups = new Groups(() => this.#clock.now());
    this.#hooks = this.#createHooks();
    this.#state = this.#openState();
    this.#config = this.#withGroupsOfRunTime(config);
    this.groups.load(this.#config.groups.map((group) => group.spec));
    this.#keeper = new StateKeeper({
      clock: this.#clock,
      groups: this.groups,
      store: this.#state,
    });
    this.#prover = new Prover({
      clock: this.#clock,
      prefix: proofPrefix(this.#cookieKey),
      entrance: () => this.#entrance(),
    });
    this.#crew = this.#createCrew();
    this.#history = new TrafficHistory(this.#clock, () => this.#crew.traffic);
    this.#standbys = this.#createStandbys();
    this.orders = this.#createOperator();
    this.alerts = this.#createAlerts();
    this.serviceLevels = this.#createServiceLevels();
    this.#statusFiles = new StatusFiles({
      groups: this.groups,
      base: options.folder ?? ".",
      onTrouble: (reason) => this.#eventLog.warn({ reason }, "failover status not written"),
    });
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

  get traffic(): readonly PoolTraffic[] {
    return this.#crew.traffic;
  }

  get uncountedMs(): number {
    return this.#crew.uncountedMs;
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

  waitingOf(group: string): number {
    const mine = this.#crew.waits.filter((one) => one.group === group);
    return mine.reduce((sum, { waiting }) => sum + waiting, 0);
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
      this.#door.serve(await this.#door.open(this.#config.admin?.address));
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
    this.#history.start();
    this.#rechecks = startRechecks({ ...common, timeoutsOf });
    this.#probes = startProbes(common);
    this.#standbys.begin();
    this.alerts.start();
    this.serviceLevels.start();
    this.#statusFiles.follow(this.#config.failoverStatusDir);
  }

  /** Undefined where none has ended yet. */
  lastProbeOf(group: string, serverKey: string): LastProbe | undefined {
    return this.#probes?.lastOf(group, serverKey);
  }

  subscribe(listener: (event: KeptEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stories(): Promise<readonly ExchangeStory[]> {
    await this.#crew.settled();
    return this.#crew.stories;
  }

  reload(): Promise<Outcome> {
    return this.#reloader.request();
  }

  /** Takes a configuration that is in order already; nothing changes where it cannot be served. */
  apply(next: Config, hash = ""): Promise<Outcome> {
    return this.#applies.run(async () => {
      const outcome = await this.#serve(this.#withGroupsOfRunTime(next), hash);
      if (outcome.ok) this.#file = next;
      return outcome;
    });
  }

  async #serve(next: Config, hash: string): Promise<Outcome> {
    const config = reuseUnchanged(this.#config, next);
    const changes = describeChanges(this.#config, config);
    if (changes.length === 0) return this.#keepConfig(hash);
    if (this.isStopping) return refuse("the gateway stops");
    if (this.#needsOtherCrew(config)) {
      return { ok: false, kind: "refused", lines: [OTHER_CREW] };
    }
    if (config.stateDir !== this.#config.stateDir) {
      return { ok: false, kind: "refused", lines: [OTHER_STATE] };
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
    this.#standbys.stop();
    this.#hooks.stop();
    await this.#statusFiles.stop();
    await this.serviceLevels.stop();
    await this.alerts.stop();
    this.#stopping.abort();
    this.#history.stop();
    this.#rechecks?.stop();
    this.#probes?.stop();
    this.#resolver.stop();
    this.#wheel.stop();
    await this.#state.close();
    await this.history.close();
    await this.#eventLog.close();
  }

  async #reload(): Promise<Outcome> {
    const { read } = this.#options;
    if (read === undefined) return refuse("this gateway has no file to read");
    const reading = read(this.#file);
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

  #createOperator(): Operator {
    return new Operator({
      clock: this.#clock,
      groups: this.groups,
      signal: this.#stopping.signal,
      keeper: this.#keeper,
      prover: this.#prover,
      standbys: this.#standbys,
      history: this.#history,
      settled: () => this.#crew.settled(),
      tell: (event) => this.#tellEvent(event),
      holdMsOf: (group) => this.#groupConfig(group).hold.maxMs,
      loadOf: (group, serverKey) => this.loadOf(group, serverKey),
      releaseOf: (group, pool) => this.releaseOf(group, pool),
      proofOf: (group, pool) => this.#proofOf(group, pool),
      runtime: {
        store: this.#state,
        names: () => Array.from(this.groups, ({ spec }) => spec.name),
        serve: () => this.apply(this.#file, this.#identity.hash),
        file: () => this.#file,
        isBusy: (group) => {
          const servers = this.groups.find(group)?.servers ?? [];
          return this.#isBusy(group, servers) || this.waitingOf(group) > 0;
        },
        tell: (event) => this.#tellEvent(event),
      },
      veto: (change) => this.#hooks.veto(change),
    });
  }

  #createHooks(): Hooks {
    return new Hooks({
      groups: this.groups,
      hooks: () => this.#config.hooks,
      act: (action, facts) => this.#act(action, facts),
      tell: (event) => this.#tellEvent(event),
    });
  }

  #createAlerts(): Alerts {
    const means = {
      from: this.#options.name ?? "understudy",
      env: this.#options.env ?? {},
      base: this.#options.folder ?? ".",
      signal: this.#stopping.signal,
      wall: () => this.#clock.wall(),
    };
    const onTrouble = (reason: string): void => {
      this.#eventLog.warn({ reason }, "alerts will not outlive a restart");
    };
    return new Alerts({
      clock: this.#clock,
      config: () => this.#config.alerts,
      lookUp: (group, pool) => this.#poolFacts(group, pool),
      traffic: () => this.#crew.traffic,
      isInMaintenance: (group) => this.groups.find(group)?.orders.door.kind === "maintenance",
      deliver: (channel, message) =>
        deliver(channel, message, { ...means, links: this.#config.alerts.links }),
      file: new AlertFile(alertFileOf(this.#options.stateFile), onTrouble),
      tell: (event) => this.#tellEvent(event),
    });
  }

  #createServiceLevels(): ServiceLevels {
    const onTrouble = (reason: string): void => {
      this.#eventLog.warn({ reason }, "error budgets will not outlive a restart");
    };
    return new ServiceLevels({
      clock: this.#clock,
      levels: () => serviceLevelsOf(this.#config),
      traffic: () => this.#crew.traffic,
      file: new BudgetFile(budgetFileOf(this.#options.stateFile), onTrouble),
      tell: (event) => this.#tellEvent(event),
    });
  }

  #poolFacts(group: string, pool: string): PoolFacts {
    const servers = this.groups.find(group)?.servers.filter(({ spec }) => spec.pool === pool);
    const addresses = servers?.map(({ spec }) => spec.address) ?? [];
    return { release: this.releaseOf(group, pool), addresses };
  }

  #act(action: Action, facts: ActionFacts): Promise<ActionResult> {
    return act(action, facts, {
      env: this.#options.env ?? {},
      signal: this.#stopping.signal,
      wall: () => this.#clock.wall(),
    });
  }

  #createStandbys(): Standbys {
    return new Standbys({
      clock: this.#clock,
      groups: this.groups,
      configOf: (group, pool) =>
        this.#config.groups.find(({ name }) => name === group)?.standbys.get(pool),
      act: (action, facts) => this.#act(action, facts),
      tell: (event) => this.#tellEvent(event),
      isBusy: (group, pool) => {
        const servers = this.groups.find(group)?.servers.filter(({ spec }) => spec.pool === pool);
        return this.#isBusy(group, servers ?? []);
      },
    });
  }

  #isBusy(group: string, servers: readonly ServerState[]): boolean {
    const loads = servers.map(({ spec }) => this.loadOf(group, spec.key));
    return loads.some(({ inFlight, tunnels }) => inFlight + tunnels > 0);
  }

  #withGroupsOfRunTime(file: Config): Config {
    const { config, problems } = mergeGroups(file, this.#state.saved);
    for (const reason of problems) this.#eventLog.warn({ reason }, "configuration warning");
    return config;
  }

  #proofOf(name: string, pool: string): ProofRequest | undefined {
    const { groups } = this.#config;
    const router = createRouter(
      groups.flatMap((group) => group.routes.map((route) => ({ route, target: group.name }))),
    );
    const group = groups.find((one) => one.name === name);
    return group && proofRequest(group, pool, (host, path) => router.find(host, path));
  }

  /** Where a client of this machine comes in. */
  #entrance(): Address | undefined {
    const [first] = this.#addresses.inService;
    if (first === undefined || this.isStopping) return undefined;
    const { address, shown } = first;
    if (address.kind === "unix") return address;
    return { ...address, port: Number(shown.slice(shown.lastIndexOf(":") + 1)) };
  }

  #openState(): StateStore {
    const { stateFile } = this.#options;
    if (stateFile === undefined) return new StateMemory();
    return new StateFile(stateFile, {
      clock: this.#clock,
      tell: (event) => this.#tellEvent(event),
    });
  }

  #openEventFile(): EventFile | undefined {
    const { stateFile } = this.#options;
    if (stateFile === undefined) return undefined;
    const path = eventFileOf(stateFile);
    const tell = (reason: string): void => {
      this.#eventLog.warn({ file: path, reason }, "events will not outlive a restart");
    };
    try {
      return new EventFile(path, this.#clock, ({ code }) => tell(code));
    } catch (error) {
      tell(describeError(error));
      return undefined;
    }
  }

  #createCrew(): Crew {
    const { launch } = this.#options;
    const tell: Tell = (level, fields, message) => this.#eventLog[level](fields, message);
    if (launch === undefined || this.#config.workers === 0) return this.#localCrew(tell);
    return new Supervisor({
      clock: this.#clock,
      groups: this.groups,
      launch,
      countOf: countWorkers,
      cookieKey: this.#cookieKey,
      sessions: new SessionBindings(this.#clock),
      onTold: ({ level, fields, message }) => tell(level, fields, message),
      onEvent: (event) => this.#tellEvent(event),
      onProof: (news) => this.#prover.hear(news),
    });
  }

  #localCrew(tell: Tell): Crew {
    const { sessions, random = Math.random, onExchange = () => {} } = this.#options;
    return new LocalCrew({
      clock: this.#clock,
      groups: this.groups,
      sessions: sessions ?? new SessionBindings(this.#clock),
      cookieKey: this.#cookieKey,
      resolver: this.#resolver,
      random,
      onExchange,
      onProof: (news) => this.#prover.hear(news),
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
      if (config.admin?.address !== this.#config.admin?.address) {
        parts = { ...parts, admin: await this.#door.open(config.admin?.address) };
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
    this.#keeper.follow();
    const committed = this.#crew.commit(edition);
    this.#rechecks?.follow();
    this.#probes?.follow();
    this.#standbys.follow();
    this.alerts.follow();
    this.#statusFiles.follow(config.failoverStatusDir);
    await committed;
    closeOthers();
  }

  #startAdmin(address: Address): Promise<AdminServer> {
    return startAdminServer(address, this, {
      clock: this.#clock,
      version: this.#options.version ?? "",
      tokenHash: () => this.#config.admin?.tokenHash,
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
    const { number } = this.#identity;
    const kept = this.history.add(event, number);
    this.#eventLog.write(event, number);
    this.#options.onEvent?.(event);
    this.#hooks.hear(event);
    this.alerts.hear(event);
    for (const listener of this.#listeners) listener(kept);
  }
}

function serviceLevelsOf({ groups }: Config): ReadonlyMap<string, ServiceLevel> {
  return new Map(
    groups.flatMap(({ name, slo }) => (slo === undefined ? [] : [[name, slo] as const])),
  );
}

function refuse(reason: string): Outcome {
  return { ok: false, kind: "failed", lines: [reason] };
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
