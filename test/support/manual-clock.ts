import { setImmediate } from "node:timers/promises";
import type { Cancel, Clock } from "../../src/clock.ts";

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** How far runUntil() goes at a time, and in all. */
const STEP_MS = 25;
const LONGEST_RUN_MS = 300_000;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const pending = { at: this.#now + delayMs, callback };
    this.#pending.add(pending);
    return () => this.#pending.delete(pending);
  }

  /** How many calls are still to come. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Time jumps and nothing is called on the way, as while a process or its machine stands still. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Runs what is due in its order; sockets get their turn before each and at the end. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await setImmediate();
      const next = this.#next(end);
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
    await setImmediate();
  }

  /** Moves time on, a little at each turn of the event loop, until the promise is settled. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let left = LONGEST_RUN_MS; left > 0; left -= STEP_MS) {
      if (isSettled) return await promise;
      await this.advance(STEP_MS);
    }
    throw new Error(`nothing has come within ${LONGEST_RUN_MS} ms of manual time`);
  }

  /** The earliest that is due by `end`; of several at one time the one set first. */
  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at <= end && (first === undefined || pending.at < first.at)) first = pending;
    }
    return first;
  }
}
