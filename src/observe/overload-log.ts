import type { Cancel, Clock } from "../clock.ts";
import type { EventLog } from "./event-log.ts";

/** Milliseconds without a refusal after which an overload is over. */
const QUIET_MS = 10_000;

interface Overload {
  readonly since: number;
  lastAt: number;
  requests: number;
  cancel: Cancel;
}

/** Tells the event log when the gateway begins to turn requests away, and how many it were in the end. */
export class OverloadLog {
  readonly #log: Pick<EventLog, "warn">;
  readonly #clock: Clock;
  /** What goes on, by its reason. */
  readonly #overloads = new Map<string, Overload>();

  constructor(log: Pick<EventLog, "warn">, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** One more request, or client, was turned away. */
  note(reason: string): void {
    const overload = this.#overloads.get(reason) ?? this.#begin(reason);
    overload.lastAt = this.#clock.now();
    overload.requests += 1;
  }

  /** Tells of what still goes on as it stands. */
  stop(): void {
    for (const [reason, overload] of this.#overloads) this.#end(reason, overload);
  }

  #begin(reason: string): Overload {
    const now = this.#clock.now();
    const overload: Overload = { since: now, lastAt: now, requests: 0, cancel: () => {} };
    this.#overloads.set(reason, overload);
    this.#log.warn({ reason }, "turns requests away");
    this.#watch(reason, overload, QUIET_MS);
    return overload;
  }

  #watch(reason: string, overload: Overload, ms: number): void {
    overload.cancel = this.#clock.after(ms, () => {
      const leftMs = overload.lastAt + QUIET_MS - this.#clock.now();
      if (leftMs > 0) this.#watch(reason, overload, leftMs);
      else this.#end(reason, overload);
    });
  }

  #end(reason: string, { since, lastAt, requests, cancel }: Overload): void {
    cancel();
    this.#overloads.delete(reason);
    const seconds = Math.round(lastAt - since) / 1000;
    this.#log.warn({ reason, requests, seconds }, "turned requests away");
  }
}
