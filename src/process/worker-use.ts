import { performance } from "node:perf_hooks";

/** What a worker has used since it began. */
export interface WorkerUse {
  readonly cpuSeconds: number;
  /** Of its event loop, at work rather than waiting: one that is busy all the time can take no more. */
  readonly busySeconds: number;
  readonly residentBytes: number;
  /** The longest delay of a timer within the last ten seconds, in milliseconds. */
  readonly delayMs: number;
}

/** Delays that are remembered: two a second. */
const MOST_DELAYS = 20;

/** Reads it in some microseconds, without a timer of its own. */
export class UseMeter {
  #delays: readonly number[] = [];

  /** By how much a timer was late, in milliseconds. */
  noteDelay(ms: number): void {
    this.#delays = [...this.#delays, ms].slice(-MOST_DELAYS);
  }

  read(): WorkerUse {
    const { user, system } = process.cpuUsage();
    return {
      cpuSeconds: (user + system) / 1e6,
      busySeconds: performance.eventLoopUtilization().active / 1000,
      residentBytes: process.memoryUsage.rss(),
      delayMs: Math.max(0, ...this.#delays),
    };
  }
}
