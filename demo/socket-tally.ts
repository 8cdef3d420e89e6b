import type { Pool } from "./app-process.ts";

/** What clients with lasting connections have seen so far. */
export interface SocketSummary {
  /** Open, by the pool that they are connected to. */
  readonly byPool: Readonly<Record<Pool, number>>;
  /** Not connected, or not yet. */
  readonly away: number;
  readonly reconnects: number;
  /** From the loss of a connection to the first word of its successor. */
  readonly longestReconnectMs: number;
  readonly echoed: number;
  /** Messages whose echo never came, since their connection was lost before. */
  readonly unanswered: number;
}

/** Counts what clients tell of themselves; each has a number. `now` in milliseconds of any steady clock. */
export class SocketTally {
  readonly #clients: number;
  readonly #open = new Map<number, Pool>();
  readonly #lostAt = new Map<number, number>();
  #reconnects = 0;
  #longestReconnectMs = 0;
  #echoed = 0;
  #unanswered = 0;

  constructor(clients: number) {
    this.#clients = clients;
  }

  opened(client: number, pool: Pool, now: number): void {
    this.#open.set(client, pool);
    const lostAt = this.#lostAt.get(client);
    if (lostAt === undefined) return;
    this.#lostAt.delete(client);
    this.#reconnects++;
    this.#longestReconnectMs = Math.max(this.#longestReconnectMs, now - lostAt);
  }

  /** An attempt to come back that fails changes nothing. */
  lost(client: number, now: number): void {
    if (this.#open.delete(client)) this.#lostAt.set(client, now);
  }

  echoed(): void {
    this.#echoed++;
  }

  unanswered(messages: number): void {
    this.#unanswered += messages;
  }

  summary(): SocketSummary {
    const pools = [...this.#open.values()];
    return {
      byPool: { blue: countOf(pools, "blue"), green: countOf(pools, "green") },
      away: this.#clients - pools.length,
      reconnects: this.#reconnects,
      longestReconnectMs: this.#longestReconnectMs,
      echoed: this.#echoed,
      unanswered: this.#unanswered,
    };
  }
}

function countOf(pools: readonly Pool[], wanted: Pool): number {
  return pools.filter((pool) => pool === wanted).length;
}
