import type { Cancel, Clock } from "../clock.ts";
import type { Message } from "./alert.ts";

/** What came of one try. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: string;
      /** It would be refused again. */
      readonly isFinal: boolean;
      /** What its receiver asks for, in milliseconds. */
      readonly retryAfterMs: number | undefined;
    };

/** Slack takes one message a second: https://docs.slack.dev/apis/web-api/rate-limits */
const PACE_MS = 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** What is older than a day is told to nobody any more. */
const OLDEST_MS = 86_400_000;
/** How many may wait; the oldest gives way. */
const MOST_WAITING = 100;

export interface OutboxTools {
  readonly clock: Clock;
  readonly deliver: (message: Message) => Promise<Delivery>;
  /** What waits has changed, and is to be kept. */
  readonly onChange: () => void;
  /** A message was given up. */
  readonly onFailed: (reason: string) => void;
}

/** The messages to one channel: one after the other, again until they are taken. */
export class Outbox {
  readonly #tools: OutboxTools;
  #waiting: readonly Message[];
  #sent = 0;
  #failed = 0;
  /** Of the first that waits. */
  #tries = 0;
  #trouble: string | undefined;
  /** A try is under way, or the next one has its time. */
  #isBusy = false;
  #cancel: Cancel = () => {};
  #isStopped = false;

  constructor(tools: OutboxTools, waiting: readonly Message[] = []) {
    this.#tools = tools;
    this.#waiting = waiting;
  }

  get waiting(): readonly Message[] {
    return this.#waiting;
  }

  get counts() {
    const { length: waiting } = this.#waiting;
    return { sent: this.#sent, failed: this.#failed, waiting, trouble: this.#trouble };
  }

  push(message: Message): void {
    if (this.#waiting.length >= MOST_WAITING) {
      // The first may be under way.
      this.#waiting = this.#waiting.filter((_, index) => index !== 1);
      this.#giveUp(`${MOST_WAITING} messages wait already`);
    }
    this.#waiting = [...this.#waiting, message];
    this.#tools.onChange();
    this.start();
  }

  /** Goes on with what waits. */
  start(): void {
    const [first] = this.#waiting;
    if (this.#isBusy || this.#isStopped || first === undefined) return;
    this.#isBusy = true;
    void this.#try(first);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #try(message: Message): Promise<void> {
    const delivery = await this.#tools.deliver(message);
    // One that was cut off by the end is tried again by the next gateway.
    if (this.#isStopped && !delivery.ok) return;
    this.#tries += 1;
    if (delivery.ok) {
      this.#sent += 1;
      this.#trouble = undefined;
    } else {
      this.#trouble = delivery.reason;
      const isOld = this.#tools.clock.wall() - message.at > OLDEST_MS;
      if (!delivery.isFinal && !isOld) return this.#goOnAfter(this.#pauseMs(delivery.retryAfterMs));
      this.#giveUp(delivery.reason);
    }
    this.#tries = 0;
    this.#waiting = this.#waiting.slice(1);
    this.#tools.onChange();
    this.#goOnAfter(PACE_MS);
  }

  #pauseMs(askedMs: number | undefined): number {
    const ownMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#tries - 1), LONGEST_PAUSE_MS);
    return Math.max(askedMs ?? ownMs, PACE_MS);
  }

  #goOnAfter(ms: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#tools.clock.after(ms, () => {
      this.#isBusy = false;
      this.start();
    });
  }

  #giveUp(reason: string): void {
    this.#failed += 1;
    this.#tools.onFailed(reason);
  }
}
