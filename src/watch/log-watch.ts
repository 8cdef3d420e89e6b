import type { KeptAlerts } from "../alert/alert-file.ts";
import type { Message } from "../alert/alert.ts";
import { Alerts, type AlertsConfig } from "../alert/alerts.ts";
import type { Channel } from "../alert/channel.ts";
import type { Delivery } from "../alert/outbox.ts";
import type { GatewayEvent } from "../events.ts";
import type { LineFacts } from "./line-facts.ts";
import { LineTraffic } from "./line-traffic.ts";
import type { LogClock } from "./log-clock.ts";
import { PoolWatch } from "./pool-watch.ts";
import { readLine } from "./read-line.ts";
import type { KeptWatch } from "./watch-file.ts";

export interface LogWatchTools {
  readonly clock: LogClock;
  readonly config: AlertsConfig;
  /** What a line's group is called that names none. */
  readonly group: string;
  /** The pool that should serve a group; undefined = the first one that does. */
  readonly primaryOf: (group: string) => string | undefined;
  readonly deliver: (channel: Channel, message: Message) => Promise<Delivery>;
  readonly kept: KeptWatch;
  /** Called where there is something new to keep. */
  readonly onChange: () => void;
  /** Whatever it finds out, for the log. */
  readonly onEvent: (event: GatewayEvent) => void;
}

/** How far ahead of the real time a line's may be, until it is taken for another clock's. */
const AHEAD_MS = 5_000;
/** A backlog is judged as it was written: the time of its lines passes in steps of at least this. */
const LOOK_MS = 250;

/** Tells people what somebody else's access log tells, by the rules of the gateway's own alerts. */
export class LogWatch {
  readonly alerts: Alerts;
  /** Lines that were read, and those that were no lines of an access log. */
  lines = 0;
  unknown = 0;
  readonly #tools: LogWatchTools;
  readonly #traffic = new LineTraffic();
  readonly #groups = new Map<string, PoolWatch>();
  #keptAlerts: KeptAlerts;

  constructor(tools: LogWatchTools) {
    this.#tools = tools;
    this.#keptAlerts = tools.kept.alerts;
    this.alerts = new Alerts({
      clock: tools.clock,
      config: () => tools.config,
      lookUp: (group, pool) => this.#groupOf(group).factsOf(pool),
      traffic: () => this.#traffic.all,
      isInMaintenance: () => false,
      deliver: tools.deliver,
      file: {
        load: () => tools.kept.alerts,
        save: (alerts) => {
          this.#keptAlerts = alerts;
          tools.onChange();
        },
        close: async () => {},
      },
      tell: (event) => this.#tell(event),
    });
    for (const group of Object.keys(tools.kept.pools)) this.#groupOf(group);
  }

  start(): void {
    this.alerts.start();
    // Else it would be taken for over, as nothing tells of it anew.
    for (const watch of this.#groups.values()) {
      for (const event of watch.goingOn) this.alerts.hear(event);
    }
  }

  /** All but the places. */
  get kept(): Omit<KeptWatch, "places"> {
    const at = this.#tools.clock.now();
    const pools = Array.from(this.#groups, ([group, watch]) => [group, watch.kept] as const);
    return { at, pools: Object.fromEntries(pools), alerts: this.#keptAlerts };
  }

  hear(lines: readonly string[], realNow: number): void {
    for (const line of lines) {
      if (line === "") continue;
      this.lines += 1;
      const facts = readLine(line);
      if (facts === undefined) this.unknown += 1;
      else this.#hearFacts(facts, realNow);
    }
    this.#tools.onChange();
  }

  /** Time passes while no lines come. */
  pass(realNow: number): void {
    this.#tools.clock.advanceTo(realNow);
    for (const watch of this.#groups.values()) {
      for (const event of watch.look(realNow)) this.#tell(event);
    }
  }

  #hearFacts(facts: LineFacts, realNow: number): void {
    const { clock, group: unnamed } = this.#tools;
    const { at = 0, group = unnamed } = facts;
    const isOurTime = at <= realNow + AHEAD_MS;
    if (isOurTime && at >= clock.now() + LOOK_MS) clock.advanceTo(at);
    this.#traffic.count(group, facts);
    for (const event of this.#groupOf(group).hear(facts, clock.now())) this.#tell(event);
  }

  #groupOf(group: string): PoolWatch {
    const { primaryOf, kept } = this.#tools;
    const watch =
      this.#groups.get(group) ?? new PoolWatch(group, primaryOf(group), kept.pools[group]);
    this.#groups.set(group, watch);
    return watch;
  }

  #tell(event: GatewayEvent): void {
    this.#tools.onEvent(event);
    this.alerts.hear(event);
  }
}
