import type { Session, SessionBindings, SessionStore } from "./session-bindings.ts";

export interface SharedSessionsSettings {
  readonly local: SessionBindings;
  /** Resolves when every other worker knows the session. */
  readonly tell: (group: string, sid: string, session: Session) => Promise<void>;
}

/** The sessions of all workers: what is learnt here is told to the others. */
export class SharedSessions implements SessionStore {
  readonly #settings: SharedSessionsSettings;

  constructor(settings: SharedSessionsSettings) {
    this.#settings = settings;
  }

  learn(group: string, sid: string, session: Session): void {
    this.hear(group, sid, session);
    void this.#settings.tell(group, sid, session);
  }

  /** Another worker has learnt it. */
  hear(group: string, sid: string, session: Session): void {
    this.#settings.local.learn(group, sid, session);
  }

  find(group: string, sid: string): Session | undefined {
    return this.#settings.local.find(group, sid);
  }
}
