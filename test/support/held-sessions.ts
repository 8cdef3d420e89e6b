import { EventEmitter, once } from "node:events";
import { systemClock } from "../../src/clock.ts";
import {
  type Session,
  SessionBindings,
  type SessionStore,
} from "../../src/proxy/session-bindings.ts";

/** Knows every session at once, but holds up whoever has it until the test says that all know it. */
export class HeldSessions implements SessionStore {
  readonly #local = new SessionBindings(systemClock);
  readonly #events = new EventEmitter();
  #waiting: (() => void)[] = [];

  /** Waits until a session was learnt that nobody was told of yet. */
  async learnt(): Promise<void> {
    if (this.#waiting.length === 0) await once(this.#events, "learnt");
  }

  tellAll(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  learn(group: string, sid: string, session: Session): Promise<void> {
    this.#local.learn(group, sid, session);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#events.emit("learnt");
    });
  }

  find(group: string, sid: string): Session | undefined {
    return this.#local.find(group, sid);
  }
}
