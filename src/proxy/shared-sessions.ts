import type { Clock } from "../clock.ts";
import type { KnownSession, Session, SessionBindings, SessionStore } from "./session-bindings.ts";

/** Resolves when every worker knows the session. */
export type TellSession = (group: string, sid: string, session: Session) => Promise<void>;

export interface SharedSessionsSettings {
  readonly local: SessionBindings;
  readonly tell: TellSession;
  readonly clock: Clock;
}

/** Milliseconds that a client is kept waiting, at most, for all workers to know its session. */
const LONGEST_MS = 1_000;
/** A session in use is told again after this part of the time for which it may be idle. */
const TELL_AGAIN = 1 / 4;

/**
 * The sessions of all workers: each keeps all of them. A client may come back by another worker as
 * soon as it has its session, so learn() is done when all know it; and the others must not forget
 * what is in use here, so they are told of that now and then.
 */
export class SharedSessions implements SessionStore {
  readonly #local: SessionBindings;
  readonly #tell: TellSession;
  readonly #clock: Clock;

  constructor({ local, tell, clock }: SharedSessionsSettings) {
    this.#local = local;
    this.#tell = tell;
    this.#clock = clock;
  }

  learn(group: string, sid: string, session: Session): Promise<void> {
    this.#local.learn(group, sid, session);
    const told = this.#tell(group, sid, session);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(LONGEST_MS, resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      // A worker that cannot be told must not cost the client its session with the others.
      told.then(done, done);
    });
  }

  find(group: string, sid: string): KnownSession | undefined {
    const session = this.#local.find(group, sid);
    if (session === undefined) return undefined;
    const sinceMs = this.#clock.now() - session.learntAt;
    if (sinceMs >= session.idleMs * TELL_AGAIN) {
      this.#local.learn(group, sid, session);
      this.#tell(group, sid, session).catch(() => {});
    }
    return session;
  }

  /** Another worker has told of it. */
  hear(group: string, sid: string, session: Session): void {
    this.#local.learn(group, sid, session);
  }
}
