import type { Clock } from "../clock.ts";

/** Where a session is. */
export interface Session {
  /** The key of the server that issued it. */
  readonly server: string;
  /** Milliseconds without use after which it is forgotten. */
  readonly idleMs: number;
}

/**
 * Which server issued a session. Several workers can share it: each keeps all of them, learn() tells
 * the others by way of the supervisor, and a worker to which a session is unknown asks the supervisor
 * once before it lets a server judge, for a client may come back faster than the word gets around.
 */
export interface SessionStore {
  learn(group: string, sid: string, session: Session): void;
  /** Undefined for a session that was never heard of or not used for too long. Counts as a use. */
  find(group: string, sid: string): Session | undefined;
}

/** Of all groups together: about 20 MB. */
const MOST_SESSIONS = 100_000;

interface Kept extends Session {
  readonly until: number;
}

/** The sessions of this process; when it is full, the one that was not used for longest goes. */
export class SessionBindings implements SessionStore {
  readonly #clock: Clock;
  readonly #most: number;
  /** The least recently used first. */
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock, most = MOST_SESSIONS) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  snapshot(): readonly { group: string; sid: string; server: string; idleMs: number }[] {
    return [];
  }

  learn(group: string, sid: string, session: Session): void {
    this.#keep(keyOf(group, sid), session);
    this.#makeRoom();
  }

  find(group: string, sid: string): Session | undefined {
    const key = keyOf(group, sid);
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#isOver(kept)) {
      this.#kept.delete(key);
      return undefined;
    }
    this.#keep(key, kept);
    return kept;
  }

  #keep(key: string, { server, idleMs }: Session): void {
    this.#kept.delete(key);
    this.#kept.set(key, { server, idleMs, until: this.#clock.now() + idleMs });
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
