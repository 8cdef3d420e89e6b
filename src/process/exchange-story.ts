import type { ErrorCode } from "../errors.ts";
import type { ExchangeRecord } from "../events.ts";
import { attemptFields } from "../observe/log-json.ts";

/** An exchange that did not go well at once, as plain data: to be sent to another process, and told later. */
export interface ExchangeStory {
  readonly requestId: string;
  /** Milliseconds since the epoch when it began. */
  readonly startedAt: number;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly group: string | undefined;
  /** Who answered in the end. */
  readonly pool: string | undefined;
  readonly release: string | undefined;
  readonly status: number;
  readonly error: ErrorCode | undefined;
  readonly why: string | undefined;
  readonly requestTimeMs: number;
  readonly heldMs: number;
  /** As data: attempts of the data path hold on to sockets and heads. */
  readonly attempts: readonly ReturnType<typeof attemptFields>[];
}

/** How many a process keeps at least, until they are taken: in an outage the last of them tell as much as all. */
const KEPT = 100;

/** Keeps what there is to tell of the last exchanges. */
export class ExchangeStories {
  #stories: ExchangeStory[] = [];

  note(record: ExchangeRecord): void {
    if (!isEventful(record)) return;
    if (this.#stories.length >= 2 * KEPT) this.#stories = this.#stories.slice(-KEPT);
    this.#stories.push(storyOf(record));
  }

  /** Oldest first. */
  get all(): readonly ExchangeStory[] {
    return this.#stories;
  }

  /** Those that nobody has taken so far. */
  take(): readonly ExchangeStory[] {
    if (this.#stories.length === 0) return [];
    const taken = this.#stories;
    this.#stories = [];
    return taken;
  }
}

/** It failed, met more than one server or connection, or had to wait. */
function isEventful({ attempts, error, heldMs }: ExchangeRecord): boolean {
  return (
    attempts.length > 1 || error !== undefined || heldMs > 0 || attempts[0]?.cause !== undefined
  );
}

function storyOf(record: ExchangeRecord): ExchangeStory {
  const { requestId, startedAt, method, target, group, pool, release } = record;
  const { status, error, why, requestTimeMs, heldMs } = record;
  return {
    requestId,
    startedAt,
    method,
    target,
    group,
    pool,
    release,
    status,
    error,
    why,
    requestTimeMs,
    heldMs,
    attempts: record.attempts.map(attemptFields),
  };
}
