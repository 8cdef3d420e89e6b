import type { Clock } from "../../src/clock.ts";

/** Knows how many callbacks are still to come. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  after(delayMs: number, callback: () => void): () => void {
    let isOut = true;
    const settle = (): void => {
      if (isOut) this.pending -= 1;
      isOut = false;
    };
    this.pending += 1;
    const cancel = this.#clock.after(delayMs, () => {
      settle();
      callback();
    });
    return () => {
      settle();
      cancel();
    };
  }
}
