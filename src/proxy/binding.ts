import type { AffinityOutcome } from "../events.ts";
import type { ServerState } from "../failover/server.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerReceiver, Attempt } from "./attempt.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import type { ServingGroup } from "./serving-group.ts";

/** Keeps the clients of a group on the servers that know them. */
export interface Affinity {
  /** Name of the cookie that is between the gateway and its clients; undefined = none. */
  readonly cookieName: string | undefined;
  /** Reads a request, before its first attempt; undefined where it cannot be bound. */
  bind(head: RequestHead, client: ClientFacts, group: ServingGroup): Binding | undefined;
}

/** What ties one exchange to a server. */
export interface Binding {
  /** Index of the server that knows the client; undefined where none does. */
  readonly server: number | undefined;
  /** Nobody but that server can answer, so no other one is asked. */
  readonly isExclusive: boolean;
  /** Milliseconds that an answer may be silent by nature, where `timeouts.read` is shorter. */
  readonly patienceMs: number;
  outcome: AffinityOutcome | undefined;
  /** The answer of a server goes on to the client: what is added to its head, each line with its CRLF. */
  linesFor(server: ServerState, head: ResponseHead): string;
  /** Who takes that answer's body: `receiver`, or one that reads it before. */
  readAlong(receiver: AnswerReceiver, attempt: Attempt, head: ResponseHead): AnswerReceiver;
  /** The exchange is over: nothing more goes on to its client. */
  end(): void;
}
