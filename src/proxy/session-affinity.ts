import type { AffinityOutcome } from "../events.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerReceiver, Attempt } from "./attempt.ts";
import type { Affinity, Binding } from "./binding.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import { isPoll, opensSession, sessionIdOf } from "./engine-io.ts";
import { HandshakeReader } from "./handshake-reader.ts";
import type { Session, SessionStore } from "./session-bindings.ts";
import type { ServingGroup } from "./serving-group.ts";

/** For servers that do not tell how long they keep a silent session. */
const UNTOLD_IDLE_MS = 300_000;

/** `affinity: socketio`: the requests of an Engine.IO session go to the server that issued it. */
export class SessionAffinity implements Affinity {
  readonly cookieName = undefined;
  readonly #store: SessionStore;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  bind(head: RequestHead, _: ClientFacts, group: ServingGroup): Binding | undefined {
    const sid = sessionIdOf(head);
    if (sid !== undefined) {
      const session = this.#store.find(group.config.name, sid);
      return new SessionBinding(session, head, group);
    }
    return opensSession(head) ? new HandshakeBinding(this.#store, group) : undefined;
  }
}

/** A request of a session. Of one that the gateway does not know, its server is the judge. */
class SessionBinding implements Binding {
  readonly server: number | undefined;
  readonly isExclusive: boolean;
  readonly patienceMs: number;
  outcome: AffinityOutcome | undefined;

  constructor(session: Session | undefined, head: RequestHead, group: ServingGroup) {
    this.server = session && group.indexOf(session.server);
    this.isExclusive = session !== undefined;
    this.patienceMs = isPoll(head) ? (session?.idleMs ?? UNTOLD_IDLE_MS) : 0;
  }

  linesFor(): string {
    return "";
  }

  readAlong(receiver: AnswerReceiver): AnswerReceiver {
    return receiver;
  }

  end(): void {}
}

/** A request for a session: whoever answers it has it. */
class HandshakeBinding implements Binding {
  readonly server = undefined;
  readonly isExclusive = false;
  readonly patienceMs = 0;
  readonly #store: SessionStore;
  readonly #group: ServingGroup;
  #reader: HandshakeReader | undefined;
  outcome: AffinityOutcome | undefined;

  constructor(store: SessionStore, group: ServingGroup) {
    this.#store = store;
    this.#group = group;
  }

  linesFor(): string {
    return "";
  }

  readAlong(receiver: AnswerReceiver, attempt: Attempt, head: ResponseHead): AnswerReceiver {
    if (head.status !== 200 || head.field("content-encoding") !== undefined) return receiver;
    const { key } = attempt.state.spec;
    this.#reader = new HandshakeReader(receiver, attempt, ({ sid, silenceMs = UNTOLD_IDLE_MS }) => {
      this.outcome = "new";
      const session = { server: key, idleMs: silenceMs };
      return this.#store.learn(this.#group.config.name, sid, session);
    });
    return this.#reader;
  }

  end(): void {
    this.#reader?.end();
  }
}
