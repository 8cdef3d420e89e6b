import type { Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import { EVENT_TRIGGERS } from "../observe/event-messages.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { EventFile } from "./event-file.ts";

/** An event as it is kept; beside these its own facts. */
export interface KeptEvent {
  /** From 1 on, over all runs of a gateway that keeps them. */
  readonly number: number;
  readonly time: string;
  readonly type: string;
  readonly group?: string | undefined;
  readonly [fact: string]: unknown;
}

/** How many are at hand; a file has more. */
const MOST = 1_000;

/** What has happened, with number, time, the configuration of then, and what set it off. */
export class EventHistory {
  readonly #clock: Clock;
  readonly #file: EventFile | undefined;
  #events: readonly KeptEvent[];
  #last: number;

  /** Without a file it begins anew with each run. */
  constructor(clock: Clock, file?: EventFile) {
    this.#clock = clock;
    this.#file = file;
    this.#events = file?.last(MOST) ?? [];
    this.#last = this.#events.at(-1)?.number ?? 0;
  }

  /** `config`: the number of the one in service. */
  add({ type, ...facts }: GatewayEvent, config: number): KeptEvent {
    this.#last += 1;
    const time = isoUtc(this.#clock.wall());
    const trigger = EVENT_TRIGGERS[type];
    const event = { number: this.#last, time, type, trigger, config, ...facts };
    this.#events = [...this.#events, event].slice(-MOST);
    this.#file?.append(event);
    return event;
  }

  /** Those at hand, oldest first. */
  get all(): readonly KeptEvent[] {
    return this.#events;
  }

  /** All that are kept since a time (milliseconds since the epoch), oldest first. */
  async since(wall: number): Promise<readonly KeptEvent[]> {
    const time = isoUtc(wall);
    const [first] = this.#events;
    const isAtHand = this.#file === undefined || (first !== undefined && first.time < time);
    const events = isAtHand ? this.#events : await this.#file.all();
    return events.filter((event) => event.time >= time);
  }

  /** Those at hand behind number `since`, and what is missing of them in words. */
  behind(since: number): {
    readonly events: readonly KeptEvent[];
    readonly missing: string | undefined;
  } {
    if (since > this.#last) {
      return { events: this.#events, missing: `the gateway was started anew after event ${since}` };
    }
    const events = this.#events.filter(({ number }) => number > since);
    const first = events[0]?.number ?? this.#last + 1;
    const missing =
      first > since + 1 ? `events ${since + 1} to ${first - 1} are kept no more` : undefined;
    return { events, missing };
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** Whether it is of this group; undefined = of any, or of none. */
export function isOfGroup(event: KeptEvent, group: string | undefined): boolean {
  return group === undefined || event.group === group;
}
