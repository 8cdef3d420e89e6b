import type { Cancel, Clock } from "../clock.ts";
import { noTraffic, type PoolTraffic, trafficSince } from "../observe/pool-traffic.ts";

/** Milliseconds between two samples, and how many are kept: about a minute. */
const SAMPLE_MS = 10_000;
const SAMPLES = 7;

type ReadTraffic = () => readonly PoolTraffic[];

/** What pools served lately, so that a new one can be compared with the one before. */
export class TrafficHistory {
  readonly #clock: Clock;
  readonly #read: ReadTraffic;
  /** Oldest first. */
  #samples: readonly (readonly PoolTraffic[])[] = [];
  #cancel: Cancel = () => {};

  constructor(clock: Clock, read: ReadTraffic) {
    this.#clock = clock;
    this.#read = read;
  }

  start(): void {
    this.#samples = [...this.#samples, this.#read()].slice(-SAMPLES);
    this.#cancel = this.#clock.after(SAMPLE_MS, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  /** All that was counted of a pool so far. */
  now(group: string, pool: string): PoolTraffic {
    return find(this.#read(), group, pool);
  }

  /** What it served within the last minute. */
  lately(group: string, pool: string): PoolTraffic {
    return trafficSince(this.now(group, pool), find(this.#samples[0] ?? [], group, pool));
  }
}

function find(all: readonly PoolTraffic[], group: string, pool: string): PoolTraffic {
  return all.find((one) => one.group === group && one.pool === pool) ?? noTraffic(group, pool);
}
