import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import type { Config, GroupConfig } from "./config/config.ts";
import type { ExchangeRecord, GatewayEvent } from "./events.ts";
import { Groups } from "./failover/groups.ts";
import { type AccessLog, openAccessLog } from "./observe/access-log.ts";
import { type EventLog, openEventLog } from "./observe/event-log.ts";
import { OverloadLog } from "./observe/overload-log.ts";
import { ShortageLog } from "./observe/shortage-log.ts";
import { startRechecks } from "./probe/rechecks.ts";
import type { ProxyContext } from "./proxy/context.ts";
import { createCookieKey } from "./proxy/cookie-affinity.ts";
import { DeadlineWheel } from "./proxy/deadline-wheel.ts";
import { type Listener, startListener } from "./proxy/listener.ts";
import { LoopDelay } from "./proxy/loop-delay.ts";
import { startTrimming } from "./proxy/read-buffer.ts";
import { type Lookup, Resolver } from "./proxy/resolver.ts";
import type { ServingGroup } from "./proxy/serving-group.ts";
import { SessionBindings } from "./proxy/session-bindings.ts";
import { createSite } from "./proxy/site.ts";

export interface Gateway {
  /** Where it listens, ports as bound, in the order configured. */
  readonly addresses: readonly string[];
  /** Every group as it stands now. */
  readonly groups: Groups;
  /** Client connections open at the moment. */
  readonly connections: number;
  /** For every server, in the order configured. */
  readonly tunnels: readonly TunnelCount[];
  /** Puts another configuration in service; listeners and logs stay as they are. */
  reload(config: Config): void;
  /** After a rotation of the logs: goes on in new files of the same names. */
  reopenLogs(): void;
  /** Accepts nothing more, lets exchanges end up to `shutdown_timeout`, leaves nothing behind. */
  stop(): Promise<void>;
  /** Breaks what a stop() still waits for. */
  destroy(): void;
}

/** How many tunnels are open to a server. */
export interface TunnelCount {
  readonly group: string;
  readonly pool: string;
  readonly server: string;
  readonly tunnels: number;
}

/** The part of `shutdown_timeout` over which goodbyes to long-lived connections are spread. */
const GOODBYE_SHARE = 0.1;

export interface GatewayOptions {
  readonly clock?: Clock;
  /** Names to addresses; the system's by default. */
  readonly lookup?: Lookup;
  /** From 0 up to 1, for the jitter of goodbyes. */
  readonly random?: () => number;
  readonly onExchange?: (record: ExchangeRecord) => void;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** Starts everything that `config` asks for; rejects, with nothing left behind, where an address or a log cannot be had. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const clock = options.clock ?? systemClock;
  const { eventLog, accessLog } = await openLogs(config, clock);
  const groups = new Groups(() => clock.now());
  groups.load(config.groups.map((group) => group.spec));
  groups.subscribe(({ happened }) => {
    for (const event of happened) {
      eventLog.write(event);
      options.onEvent?.(event);
    }
  });
  const shortages = new ShortageLog(eventLog, clock);
  const overloads = new OverloadLog(eventLog, clock);
  const context: ProxyContext = {
    clock,
    loopDelay: new LoopDelay(clock),
    wheel: new DeadlineWheel(clock),
    resolver: new Resolver(clock, options.lookup),
    random: options.random ?? Math.random,
    cookieKey: createCookieKey(),
    sessions: new SessionBindings(clock),
    onExchange: (record) => {
      accessLog?.write(record);
      if (record.shortage !== undefined) shortages.note(record.shortage);
      if (record.error === "OVERLOADED") overloads.note(record.why ?? "");
      options.onExchange?.(record);
    },
    onUpgrade: (record) => {
      if (site.config.logUpgradeStart) accessLog?.write(record);
    },
  };
  let site = createSite(config, groups, context);
  const configOf = (name: string): GroupConfig =>
    mustHave(site.config.groups.find((group) => group.name === name));
  const rechecks = startRechecks({
    groups,
    clock,
    findAddress: (name) => context.resolver.findAddress(name),
    setDeadline: (ms, expire) => context.wheel.after(ms, expire),
    timeoutsOf: (name) => configOf(name).timeouts,
    expectedOf: (name, pool) => configOf(name).expect.get(pool),
    headBytes: () => site.config.limits.serverHeadBytes,
  });
  const stopTrimming = startTrimming(clock);
  const closeRest = async (): Promise<void> => {
    rechecks.stop();
    stopTrimming();
    site.close();
    context.wheel.stop();
    context.loopDelay.stop();
    overloads.stop();
    context.resolver.stop();
    await Promise.all([accessLog?.close(), eventLog.close()]);
  };

  const listeners: Listener[] = [];
  const destroy = (): void => {
    for (const listener of listeners) listener.destroy();
  };
  const drain = async (): Promise<void> => {
    for (const listener of listeners) listener.stop();
    await Promise.all(listeners.map((listener) => listener.drained));
  };
  try {
    for (const address of config.listen) {
      const onError = (error: Error): void =>
        eventLog.error({ reason: error.message }, "accept failed");
      listeners.push(await startListener(address, { context, site: () => site, onError }));
    }
  } catch (error) {
    // Somebody may have connected to the addresses that could be had.
    destroy();
    await drain();
    await closeRest();
    throw error;
  }

  const stop = async (): Promise<void> => {
    const { shutdownTimeoutMs } = site.config;
    const cancel = clock.after(shutdownTimeoutMs, destroy);
    site.stop(shutdownTimeoutMs * GOODBYE_SHARE);
    await drain();
    cancel();
    await closeRest();
  };
  let stopping: Promise<void> | undefined;
  return {
    addresses: listeners.map((listener) => listener.address),
    groups,
    get connections() {
      return listeners.reduce((sum, listener) => sum + listener.connections, 0);
    },
    get tunnels() {
      return site.groups.flatMap(countTunnels);
    },
    reload: (next) => {
      groups.load(next.groups.map((group) => group.spec));
      site = createSite(next, groups, context, site);
      rechecks.follow();
    },
    reopenLogs: () => {
      accessLog?.reopen();
      eventLog.reopen();
      eventLog.info({}, "logs opened anew");
    },
    stop: () => (stopping ??= stop()),
    destroy,
  };
}

function countTunnels({ config, state, tunnels }: ServingGroup): readonly TunnelCount[] {
  return state.servers.map(({ index, spec }) => ({
    group: config.name,
    pool: spec.pool,
    server: spec.address,
    tunnels: tunnels[index] ?? 0,
  }));
}

interface Logs {
  readonly eventLog: EventLog;
  readonly accessLog: AccessLog | undefined;
}

async function openLogs(config: Config, clock: Clock): Promise<Logs> {
  const eventLog = openEventLog(config.eventLog, clock);
  if (config.accessLog === undefined) return { eventLog, accessLog: undefined };
  try {
    const accessLog = openAccessLog(config.accessLog, {
      clock,
      onTrouble: (trouble) => eventLog.error({ ...trouble }, "access log cannot be written"),
    });
    return { eventLog, accessLog };
  } catch (error) {
    await eventLog.close();
    throw error;
  }
}

function mustHave<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a group without a configuration");
  return value;
}
