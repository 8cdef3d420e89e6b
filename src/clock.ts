/** Takes back something that was set to happen later; calling it twice is harmless. */
export type Cancel = () => void;

/** The one door to time. Code that waits gets a clock; code that decides gets `now` as a number. */
export interface Clock {
  /** Monotonic milliseconds: for durations and deadlines, untouched by jumps of the wall clock. */
  now(): number;
  /** Milliseconds since the epoch: for logs only. */
  wall(): number;
  /** Calls back once, `delayMs` from now. The pending call does not keep the process alive. */
  after(delayMs: number, callback: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
