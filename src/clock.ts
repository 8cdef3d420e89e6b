/** Takes back something that was set to happen later; calling it twice is harmless. */
export type Cancel = () => void;

/** The one door to time. Code that waits gets a clock; code that decides gets `now` as a number. */
export interface Clock {
  /**
   * Monotonic milliseconds: for durations and deadlines, untouched by jumps of the wall clock. All
   * processes of a machine count from the same moment.
   */
  now(): number;
  /** Milliseconds since the epoch: for logs only. */
  wall(): number;
  /** Calls back once, `delayMs` from now. The pending call does not keep the process alive. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** performance.now() counts from the start of its process, hrtime() from a moment of the machine. */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  now: () => ORIGIN_MS + performance.now(),
  wall: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** The longest delay that a timer of Node can have. */
const LONGEST_MS = 2 ** 31 - 1;

/** Keeps the process alive until the function is called that it returns. */
export function stayAlive(): Cancel {
  const timer = setInterval(() => {}, LONGEST_MS);
  return () => clearInterval(timer);
}

/** Resolves after `ms` of real time, for which the process is kept alive: it waits for nothing else. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
