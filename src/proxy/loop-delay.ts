import type { Cancel, Clock } from "../clock.ts";

/** Milliseconds between two measurements. */
const PAUSE_MS = 100;
/** Measurements that nobody has asked for, until there are no more of them. */
const MOST_UNASKED = 20;

/**
 * How late the event loop is, by a timer of its own that runs only while somebody asks. Late counts
 * what is late twice running: after one long stop (a suspended machine, SIGSTOP, a garbage
 * collection) the next measurement is in time again, and nobody pays for what is over. An overload
 * makes every turn of the loop long, so it shows in the second measurement, and its end in the first
 * one that is in time, 100 ms later at most.
 */
export class LoopDelay {
  readonly #clock: Clock;
  #dueAt = 0;
  /** Milliseconds, of the last measurement and the one before. */
  #last = 0;
  #before = 0;
  #unasked = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Is the loop later than this, in milliseconds, again and again? 0 = it never is. */
  exceeds(limitMs: number): boolean {
    if (limitMs === 0) return false;
    this.#unasked = 0;
    if (this.#cancel === undefined) this.#measure();
    return this.#last > limitMs && this.#before > limitMs;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #measure(): void {
    this.#dueAt = this.#clock.now() + PAUSE_MS;
    this.#cancel = this.#clock.after(PAUSE_MS, this.#look);
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    this.#before = this.#last;
    this.#last = this.#clock.now() - this.#dueAt;
    this.#unasked += 1;
    if (this.#unasked < MOST_UNASKED) this.#measure();
    // It says nothing about the time in which nobody looks.
    else this.#last = 0;
  };
}
