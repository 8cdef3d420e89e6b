import type { Clock } from "../clock.ts";

/** Where a session is. */
export interface Session {
  /** The key of the server that issued it. */
  readonly server: string;
  /** Milliseconds without use after which it is forgotten. */
  readonly idleMs: number;
}

/** Which server issued a session. */
export interface SessionStore {
  /**
   * Undefined: it can be found from now on. A promise, which never rejects, is done when it can be
   * found wherever its client may come back.
   */
  learn(group: string, sid: string, session: Session): Promise<void> | undefined;
  /** Undefined for a session that was never heard of or not used for too long. Counts as a use. */
  find(group: string, sid: string): Session | undefined;
}

export interface KnownSession extends Session {
  /** Monotonic milliseconds when it was last learnt. */
  readonly learntAt: number;
}

/** A session for another process: its key, its server, `idleMs`, and how many ms of that are left. */
export type SessionEntry = readonly [key: string, server: string, idleMs: number, leftMs: number];

/** Of all groups together: about 20 MB. */
const MOST_SESSIONS = 100_000;

interface Kept extends KnownSession {
  readonly until: number;
}

/** The sessions of this process; when it is full, the one that was not used for longest goes. */
export class SessionBindings implements SessionStore {
  readonly #clock: Clock;
  readonly #most: number;
  /** The least recently used first. */
  #kept = new Map<string, Kept>();

  constructor(clock: Clock, most = MOST_SESSIONS) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  learn(group: string, sid: string, session: Session): undefined {
    this.#keep(keyOf(group, sid), session, this.#clock.now());
    this.#makeRoom();
  }

  find(group: string, sid: string): KnownSession | undefined {
    const key = keyOf(group, sid);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#isOver(kept)) {
      this.#kept.delete(key);
      return undefined;
    }
    this.#keep(key, kept, kept.learntAt);
    return kept;
  }

  /** All that are known, for a process that starts; the least recently used first. */
  snapshot(): readonly SessionEntry[] {
    const now = this.#clock.now();
    return Array.from(this.#kept, ([key, { server, idleMs, until }]): SessionEntry => [
      key,
      server,
      idleMs,
      until - now,
    ]).filter(([, , , leftMs]) => leftMs > 0);
  }

  /** Takes over what another process knows. What is known here already is newer. */
  adopt(entries: readonly SessionEntry[]): void {
    const now = this.#clock.now();
    const adopted = entries
      .filter(([key]) => !this.#kept.has(key))
      .map(([key, server, idleMs, leftMs]): [string, Kept] => [
        key,
        { server, idleMs, learntAt: now, until: now + leftMs },
      ]);
    this.#kept = new Map([...adopted, ...this.#kept]);
    this.#makeRoom();
  }

  #keep(key: string, { server, idleMs }: Session, learntAt: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { server, idleMs, learntAt, until: this.#clock.now() + idleMs });
  }

  #makeRoom(): void {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= this.#most && !this.#isOver(kept)) return;
      this.#kept.delete(key);
    }
  }

  #isOver({ until }: Kept): boolean {
    return until <= this.#clock.now();
  }
}

/** Names of groups have no space. */
function keyOf(group: string, sid: string): string {
  return `${group} ${sid}`;
}
