import type { Cancel, Clock } from "../clock.ts";
import { addressText } from "../config/address.ts";
import type { Address, Config } from "../config/config.ts";
import type { ExchangeRecord } from "../events.ts";
import type { GroupStates } from "../failover/groups.ts";
import { type AccessLog, openAccessLog } from "../observe/access-log.ts";
import { OverloadLog } from "../observe/overload-log.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import { TrafficTally } from "../observe/traffic-tally.ts";
import { Tracer } from "../tracing/tracer.ts";
import { ShortageLog } from "../observe/shortage-log.ts";
import type { ProxyContext } from "../proxy/context.ts";
import { DeadlineWheel } from "../proxy/deadline-wheel.ts";
import { Listener } from "../proxy/listener.ts";
import { LoopDelay } from "../proxy/loop-delay.ts";
import { startTrimming } from "../proxy/read-buffer.ts";
import type { Resolver } from "../proxy/resolver.ts";
import type { ServingGroup } from "../proxy/serving-group.ts";
import type { SessionStore } from "../proxy/session-bindings.ts";
import { ExchangeStories, type ExchangeStory } from "./exchange-story.ts";
import { type ProofNews, proofNews, proofPrefix } from "./proof-news.ts";
import { createSite, type Site } from "../proxy/site.ts";

/** The part of `shutdown_timeout` over which goodbyes to long-lived connections are spread. */
const GOODBYE_SHARE = 0.1;
/** Milliseconds that an idle client connection is left open once the gateway stops. */
const STOP_GRACE_MS = 300;
/** The same where another process goes on: its client should meet the end between two requests. */
const RETIRE_GRACE_MS = 5_000;

export type Tell = (level: "info" | "warn" | "error", fields: object, message: string) => void;

export interface ServiceTools {
  readonly clock: Clock;
  readonly groups: GroupStates;
  readonly sessions: SessionStore;
  readonly cookieKey: Uint8Array;
  readonly resolver: Resolver;
  readonly random: () => number;
  readonly onExchange: (record: ExchangeRecord) => void;
  /** A request by which the gateway proves a switch has ended. */
  readonly onProof: (news: ProofNews) => void;
  /** News of the process itself, for the event log. */
  readonly tell: Tell;
}

/** What a server of a group has to do at the moment. */
interface ServerLoadEntry {
  readonly group: string;
  /** ServerSpec.key */
  readonly server: string;
  readonly inFlight: number;
  readonly tunnels: number;
  /** As its last answer told. */
  readonly release: string | undefined;
}

export type ServerLoads = readonly ServerLoadEntry[];

/** How many requests wait, of groups where some do. */
export type GroupWaits = readonly { readonly group: string; readonly waiting: number }[];

/** A configuration that is ready to be served, but is not served yet. */
interface Prepared {
  readonly config: Config;
  readonly accessLog: AccessLog | undefined;
}

/** All that one process serves: the data path by one configuration, and from time to time another. */
export class Service {
  readonly #tools: ServiceTools;
  readonly #context: ProxyContext;
  readonly #stopTrimming: () => void;
  readonly #shortages: ShortageLog;
  readonly #overloads: OverloadLog;
  readonly #tally = new TrafficTally();
  readonly #stories = new ExchangeStories();
  /** By the key of their address. */
  readonly #listeners = new Map<string, Listener>();
  /** Listeners whose address is configured no more, until their last connection is closed. */
  readonly #leaving = new Set<Listener>();
  /** How to leave each socket that is accepted from, by its id. */
  readonly #sockets = new Map<string, () => void>();
  #site: Site;
  #accessLog: AccessLog | undefined;
  #tracer: Tracer | undefined;
  #prepared: Prepared | undefined;
  #ended: Promise<void> | undefined;
  #cancelDestroy: Cancel = () => {};

  /** Throws where a log cannot be opened. The states of the groups are those of `config`. */
  constructor(config: Config, tools: ServiceTools) {
    this.#tools = tools;
    const { clock } = tools;
    const prefix = proofPrefix(tools.cookieKey);
    this.#accessLog = this.#openLog(config);
    this.#tracer = this.#openTracer(config);
    this.#shortages = new ShortageLog(logOf(tools.tell), clock);
    this.#overloads = new OverloadLog(logOf(tools.tell), clock);
    this.#context = {
      clock,
      loopDelay: new LoopDelay(clock),
      wheel: new DeadlineWheel(clock),
      resolver: tools.resolver,
      random: tools.random,
      cookieKey: tools.cookieKey,
      sessions: tools.sessions,
      isProof: (requestId) => requestId.startsWith(prefix),
      onExchange: (record) => {
        this.#accessLog?.write(record);
        if (record.shortage !== undefined) this.#shortages.note(record.shortage);
        if (record.error === "OVERLOADED") this.#overloads.note(record.why ?? "");
        this.#tally.count(record);
        this.#tracer?.note(record);
        this.#stories.note(record);
        if (this.#context.isProof(record.requestId)) tools.onProof(proofNews(record));
        tools.onExchange(record);
      },
      onUpgrade: (record) => {
        if (this.#site.config.logUpgradeStart) this.#accessLog?.write(record);
      },
    };
    this.#stopTrimming = startTrimming(clock);
    this.#tally.limit(slowLimits(config));
    this.#site = createSite(config, tools.groups, this.#context);
  }

  get config(): Config {
    return this.#site.config;
  }

  /** What the next commit() puts in service. */
  get prepared(): Config | undefined {
    return this.#prepared?.config;
  }

  get connections(): number {
    return this.#allListeners().reduce((sum, { connections }) => sum + connections, 0);
  }

  get loads(): ServerLoads {
    return this.#site.groups.flatMap(loadsOf);
  }

  get waits(): GroupWaits {
    return this.#site.groups
      .map(({ config, room }) => ({ group: config.name, waiting: room.size }))
      .filter(({ waiting }) => waiting > 0);
  }

  /** What clients met since the process began. */
  get traffic(): readonly PoolTraffic[] {
    return this.#tally.all;
  }

  /** What has changed of it since it was asked last. */
  takeTraffic(): readonly PoolTraffic[] {
    return this.#tally.takeChanged();
  }

  /** What there is to tell of the last exchanges. */
  get stories(): readonly ExchangeStory[] {
    return this.#stories.all;
  }

  /** The same since it was asked last. */
  takeStories(): readonly ExchangeStory[] {
    return this.#stories.take();
  }

  /** Accepts from a bound socket of an address; rejects with Node's error where it cannot. */
  async take(id: string, address: Address, handle: object): Promise<void> {
    const leave = await this.#listenerAt(addressText(address)).accept(handle);
    this.#sockets.set(id, leave);
  }

  /** Accepts no more from that socket; its connections stay. */
  leave(id: string): void {
    this.#sockets.get(id)?.();
    this.#sockets.delete(id);
  }

  /** Everything of a configuration that can fail; throws, with nothing changed, where it does. */
  prepare(config: Config): void {
    this.abort();
    const isSame = config.accessLog === this.#site.config.accessLog;
    this.#prepared = { config, accessLog: isSame ? this.#accessLog : this.#openLog(config) };
  }

  /** Serves by what was prepared. The states of the groups are those of its configuration by now. */
  commit(): void {
    const prepared = this.#prepared;
    if (prepared === undefined) throw new Error("nothing was prepared");
    this.#prepared = undefined;
    const { config, accessLog } = prepared;
    if (config.tracing !== this.#site.config.tracing) {
      void this.#tracer?.close();
      this.#tracer = this.#openTracer(config);
    }
    this.#site = createSite(config, this.#tools.groups, this.#context, this.#site);
    if (accessLog !== this.#accessLog) void this.#accessLog?.close();
    this.#accessLog = accessLog;
    this.#tally.limit(slowLimits(config));
    this.#leaveRemoved(config);
  }

  abort(): void {
    const unused = this.#prepared?.accessLog;
    this.#prepared = undefined;
    if (unused !== this.#accessLog) void unused?.close();
  }

  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  /** Accepts nothing more and lets everybody leave in their time, as after a switch. */
  retire(): Promise<void> {
    return (this.#ended ??= this.#end(RETIRE_GRACE_MS, this.#retireMs(), () =>
      this.#site.retire(),
    ));
  }

  /** Accepts nothing more, lets exchanges end up to `shutdown_timeout`, leaves nothing behind. */
  stop(): Promise<void> {
    const { shutdownTimeoutMs } = this.#site.config;
    const letGo = (): void => this.#site.stop(shutdownTimeoutMs * GOODBYE_SHARE);
    if (this.#ended === undefined) {
      this.#ended = this.#end(STOP_GRACE_MS, shutdownTimeoutMs, letGo);
    } else {
      this.#destroyAfter(shutdownTimeoutMs);
      letGo();
    }
    return this.#ended;
  }

  /** Breaks what is left. */
  destroy(): void {
    for (const listener of this.#allListeners()) listener.destroy();
  }

  async #end(graceMs: number, withinMs: number, letGo: () => void): Promise<void> {
    this.abort();
    this.#destroyAfter(withinMs);
    const listeners = this.#allListeners();
    for (const listener of listeners) listener.stop(graceMs);
    letGo();
    await Promise.all(listeners.map((listener) => listener.drained()));
    this.#cancelDestroy();
    this.#stopTrimming();
    this.#site.close();
    this.#context.wheel.stop();
    this.#context.loopDelay.stop();
    this.#overloads.stop();
    await Promise.all([this.#accessLog?.close(), this.#tracer?.close()]);
  }

  #destroyAfter(ms: number): void {
    this.#cancelDestroy();
    this.#cancelDestroy = this.#tools.clock.after(ms, () => this.destroy());
  }

  /** Enough for every drain, and for what is in flight. */
  #retireMs(): number {
    const { shutdownTimeoutMs, groups } = this.#site.config;
    const drains = groups.map(
      ({ spec: { drain } }) => drain.tunnelsMs + drain.spreadMs + drain.graceMs,
    );
    return Math.max(0, ...drains) + shutdownTimeoutMs;
  }

  #allListeners(): readonly Listener[] {
    return [...this.#listeners.values(), ...this.#leaving];
  }

  #listenerAt(key: string): Listener {
    const known = this.#listeners.get(key);
    if (known !== undefined) return known;
    const listener = new Listener({
      context: this.#context,
      site: () => this.#site,
      onError: (error) => this.#tools.tell("error", { reason: error.message }, "accept failed"),
    });
    this.#listeners.set(key, listener);
    return listener;
  }

  #leaveRemoved({ listen }: Config): void {
    const kept = new Set(listen.map(addressText));
    for (const [key, listener] of this.#listeners) {
      if (kept.has(key)) continue;
      this.#listeners.delete(key);
      this.#leaving.add(listener);
      listener.stop(RETIRE_GRACE_MS);
      void listener.drained().then(() => this.#leaving.delete(listener));
    }
  }

  #openTracer({ tracing }: Config): Tracer | undefined {
    if (tracing === undefined) return undefined;
    const { clock, tell } = this.#tools;
    return new Tracer(tracing, {
      clock,
      tell: (reason) =>
        reason === undefined
          ? tell("info", {}, "spans are taken again")
          : tell("warn", { reason }, "spans are not taken"),
    });
  }

  #openLog({ accessLog }: Config): AccessLog | undefined {
    if (accessLog === undefined) return undefined;
    const { clock, tell } = this.#tools;
    return openAccessLog(accessLog, {
      clock,
      onTrouble: (trouble) => tell("error", { ...trouble }, "access log cannot be written"),
    });
  }
}

function logOf(tell: Tell) {
  return {
    warn: (fields: object, message: string) => tell("warn", fields, message),
    error: (fields: object, message: string) => tell("error", fields, message),
  };
}

function loadsOf(group: ServingGroup): ServerLoads {
  const { config, state, tunnels } = group;
  return state.servers.map((server) => ({
    group: config.name,
    server: server.spec.key,
    inFlight: group.seat(server).inFlight,
    tunnels: tunnels[server.index] ?? 0,
    release: group.endpoint(server).release,
  }));
}

/** From when on an exchange takes longer than its group promises. */
function slowLimits({ groups }: Config): ReadonlyMap<string, number> {
  return new Map(
    groups.flatMap(({ name, slo }) =>
      slo?.latency === undefined ? [] : [[name, slo.latency.underMs] as const],
    ),
  );
}
