import type { Clock } from "../clock.ts";
import type { EventLog } from "./event-log.ts";

/** Milliseconds between two lines about the same thing. */
const QUIET_MS = 10_000;

/** Tells the event log what the gateway itself runs short of, without flooding it. */
export class ShortageLog {
  readonly #log: Pick<EventLog, "error">;
  readonly #clock: Clock;
  #toldAt = Number.NEGATIVE_INFINITY;
  #requests = 0;

  constructor(log: Pick<EventLog, "error">, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** One more request has met it. */
  note(reason: string): void {
    this.#requests += 1;
    const now = this.#clock.now();
    if (now - this.#toldAt < QUIET_MS) return;
    this.#log.error({ reason, requests: this.#requests }, "the gateway runs short");
    this.#toldAt = now;
    this.#requests = 0;
  }
}
