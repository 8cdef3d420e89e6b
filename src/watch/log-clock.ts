import type { Cancel, Clock } from "../clock.ts";

interface Planned {
  readonly at: number;
  readonly call: () => void;
}

/** Within a longer silence only the first hour passes step by step. */
const LONGEST_STEPS_MS = 3_600_000;

/**
 * The time of a log: a line's time while lines come, the real one while none do. So a log that is
 * read late, or once more, is judged as it was when it was written.
 */
export class LogClock implements Clock {
  #now: number;
  readonly #planned = new Set<Planned>();

  /** Milliseconds since the epoch. */
  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): Cancel {
    const planned = { at: this.#now + delayMs, call };
    this.#planned.add(planned);
    return () => this.#planned.delete(planned);
  }

  /** Does what is due until then; time never goes back. */
  advanceTo(end: number): void {
    this.#step(Math.min(end, this.#now + LONGEST_STEPS_MS));
    if (end <= this.#now) return;
    this.#now = end;
    this.#step(end);
  }

  #step(end: number): void {
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#planned.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = Math.max(this.#now, end);
  }

  #next(end: number): Planned | undefined {
    let next: Planned | undefined;
    for (const planned of this.#planned) {
      if (planned.at <= end && (next === undefined || planned.at < next.at)) next = planned;
    }
    return next;
  }
}
