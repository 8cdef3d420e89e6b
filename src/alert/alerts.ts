import { createHash, randomUUID } from "node:crypto";
import type { Cancel, Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { Message, Rule, Signal } from "./alert.ts";
import type { AlertFile } from "./alert-file.ts";
import { type ActiveAlert, AlertBook, type BookRules, type Told } from "./book.ts";
import { type Channel, channelName } from "./channel.ts";
import type { Link } from "./message-text.ts";
import { type Delivery, Outbox } from "./outbox.ts";
import { type LookUpPool, signalsOf } from "./signals.ts";
import { type TrafficLimits, TrafficRules } from "./traffic-rules.ts";

export interface AlertsConfig extends TrafficLimits {
  readonly channels: readonly Channel[];
  /** In every message. */
  readonly links: readonly Link[];
  readonly rules: ReadonlySet<Rule>;
  readonly cooldownMs: number;
  /** Nothing is sent; what lasts is told once it is sent again. */
  readonly isMuted: boolean;
}

export interface AlertsTools {
  readonly clock: Clock;
  /** As in service. */
  readonly config: () => AlertsConfig;
  readonly lookUp: LookUpPool;
  /** All that was counted so far. */
  readonly traffic: () => readonly PoolTraffic[];
  readonly isInMaintenance: (group: string) => boolean;
  readonly deliver: (channel: Channel, message: Message) => Promise<Delivery>;
  readonly file: Pick<AlertFile, "load" | "save" | "close">;
  readonly tell: (event: GatewayEvent) => void;
}

/** A channel as operators see it. */
export interface ChannelView {
  readonly name: string;
  readonly sent: number;
  /** Given up. */
  readonly failed: number;
  readonly waiting: number;
  /** Why the last try came to nothing; undefined where it did not. */
  readonly trouble: string | undefined;
}

/** What came of a test message. */
export interface ChannelTest {
  readonly channel: string;
  readonly delivery: Delivery;
}

/** How often traffic is looked at, and what was folded. */
const LOOK_MS = 1_000;
/** What went on when the gateway ended has this long to come up again after its start. */
const SETTLING_MS = 10_000;

/** Tells people what happens: by rules, through channels, beside all traffic. */
export class Alerts {
  readonly #tools: AlertsTools;
  readonly #book: AlertBook;
  readonly #traffic = new TrafficRules();
  readonly #outboxes = new Map<string, { readonly channel: Channel; readonly outbox: Outbox }>();
  #kept = "";
  #cancelLook: Cancel = () => {};
  #cancelSettling: Cancel = () => {};
  /** Keys of what went on when the gateway before this one ended, and was not heard of since. */
  readonly #fromBefore: Set<string>;
  #isStopped = false;

  constructor(tools: AlertsTools) {
    this.#tools = tools;
    const { book, waiting } = tools.file.load();
    this.#book = new AlertBook(book);
    this.#fromBefore = new Set(this.#book.active.map(({ signal }) => signal.key));
    for (const channel of tools.config().channels) {
      this.#open(channel, waiting[channelKey(channel)] ?? []);
    }
  }

  /** From now on it looks at traffic, and sends what waits. */
  start(): void {
    this.follow();
    this.#look();
    this.#cancelSettling = this.#tools.clock.after(SETTLING_MS, () => this.#settle());
  }

  /** The configuration is another one; what waits for a channel that is gone is dropped. */
  follow(): void {
    const channels = new Map(this.#tools.config().channels.map((one) => [channelKey(one), one]));
    for (const [key, { outbox }] of this.#outboxes) {
      if (channels.has(key)) continue;
      outbox.stop();
      this.#outboxes.delete(key);
    }
    for (const [key, channel] of channels) if (!this.#outboxes.has(key)) this.#open(channel, []);
    for (const { outbox } of this.#outboxes.values()) outbox.start();
  }

  hear(event: GatewayEvent): void {
    if (this.#isStopped) return;
    const { rules } = this.#tools.config();
    for (const signal of signalsOf(event, this.#tools.lookUp)) {
      if (rules.has(signal.rule)) this.#hearSignal(signal);
    }
    this.#keep();
  }

  /** What goes on at the moment. */
  get active(): readonly ActiveAlert[] {
    return this.#book.active;
  }

  get channels(): readonly ChannelView[] {
    return Array.from(this.#outboxes.values(), ({ channel, outbox }) => ({
      name: channelName(channel),
      ...outbox.counts,
    }));
  }

  /** Sends a message through every channel at once, past all that waits; what came of each. */
  async test(): Promise<readonly ChannelTest[]> {
    const message: Message = {
      id: randomUUID(),
      at: this.#tools.clock.wall(),
      rule: "test",
      group: undefined,
      state: "note",
      level: "info",
      title: "Test message: alerts get through",
      facts: [],
    };
    return await Promise.all(
      this.#tools.config().channels.map(async (channel) => ({
        channel: channelName(channel),
        delivery: await this.#tools.deliver(channel, message),
      })),
    );
  }

  /** What waits is kept for the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelLook();
    this.#cancelSettling();
    for (const { outbox } of this.#outboxes.values()) outbox.stop();
    this.#keep();
    await this.#tools.file.close();
  }

  #look(): void {
    const { clock, config, tell, traffic } = this.#tools;
    for (const event of this.#traffic.look(traffic(), config())) tell(event);
    for (const told of this.#book.due(clock.wall(), this.#bookRules())) this.#send(told);
    this.#keep();
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look());
  }

  #hearSignal(signal: Signal): void {
    this.#fromBefore.delete(signal.key);
    this.#send(this.#book.hear(signal, this.#tools.clock.wall(), this.#bookRules()));
  }

  /** A gateway begins with everything well: what did not come up again is over. */
  #settle(): void {
    for (const { signal } of this.#book.active) {
      if (!this.#fromBefore.has(signal.key)) continue;
      const title = `Over since a restart: ${signal.title}`;
      this.#hearSignal({ ...signal, kind: "clear", level: "good", title });
    }
    this.#keep();
  }

  #bookRules(): BookRules {
    const { cooldownMs, isMuted } = this.#tools.config();
    const { isInMaintenance } = this.#tools;
    return {
      cooldownMs,
      isMuted: (group) => isMuted || (group !== undefined && isInMaintenance(group)),
    };
  }

  #send(told: Told | undefined): void {
    if (told === undefined) return;
    for (const { outbox } of this.#outboxes.values()) outbox.push({ id: randomUUID(), ...told });
  }

  #open(channel: Channel, waiting: readonly Message[]): void {
    const outbox = new Outbox(
      {
        clock: this.#tools.clock,
        deliver: (message) => this.#tools.deliver(channel, message),
        onChange: () => this.#keep(),
        onFailed: (reason) => this.#tools.tell({ type: "alert-failed", reason }),
      },
      waiting,
    );
    this.#outboxes.set(channelKey(channel), { channel, outbox });
  }

  /** Saves what has changed. */
  #keep(): void {
    const waiting = Object.fromEntries(
      Array.from(this.#outboxes, ([key, { outbox }]) => [key, outbox.waiting]),
    );
    const kept = { book: this.#book.kept, waiting };
    const text = JSON.stringify(kept);
    if (text === this.#kept) return;
    this.#kept = text;
    this.#tools.file.save(kept);
  }
}

/** The same for the same channel over a restart; no secret can be read from it. */
function channelKey(channel: Channel): string {
  const digest = createHash("sha256").update(JSON.stringify(channel)).digest("hex");
  return `${channel.kind} ${digest.slice(0, 12)}`;
}
