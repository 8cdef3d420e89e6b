import type { ErrorCode } from "../errors.ts";
import type { Cause } from "../failover/attempt.ts";
import { type Pick, triesLeft } from "../failover/choose.ts";
import type { Failure } from "../failover/failure.ts";
import { wantsSuccess } from "../failover/group.ts";
import {
  exhaustedStatus,
  isListed,
  isRepeatable,
  judge,
  mayRescue,
  provesHealth,
  type RequestFacts,
  type Verdict,
} from "../failover/judge.ts";
import type { ServerState } from "../failover/server.ts";
import { serialiseRequest } from "../http1/forward-request.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import {
  type AnswerReceiver,
  Attempt,
  type AttemptOwner,
  type OutgoingRequest,
} from "./attempt.ts";
import type { Binding } from "./binding.ts";
import { Deadline } from "./deadline-wheel.ts";
import { isEventStream } from "./event-stream.ts";
import { drawKeyOf } from "./draw-key.ts";
import type { ClientFacts, ExchangeNotes } from "./exchange-notes.ts";
import { noLiveServer } from "./no-live-server.ts";
import { ParkedAnswer } from "./parked-answer.ts";
import { preferredPool } from "./preferred-pool.ts";
import type { RequestBody } from "./request-body.ts";
import type { ServingGroup } from "./serving-group.ts";
import { nextSpan } from "./trace-context.ts";
import type { Waiter } from "./waiting-room.ts";

/** The exchange, as its attempts see it. */
export interface AttemptsOwner {
  readonly head: RequestHead;
  readonly body: RequestBody | undefined;
  readonly notes: ExchangeNotes;
  readonly clientFacts: ClientFacts;
  /** Where the client was before; undefined where that does not matter. */
  readonly binding: Binding | undefined;
  /** The client sends its body only once it is told to continue. */
  readonly awaitsContinue: boolean;
  /** 100, 102 or 103. */
  onInformation(head: ResponseHead): void;
  /** This answer is the one: returns who takes its body. */
  onAnswer(group: ServingGroup, attempt: Attempt, head: ResponseHead): AnswerReceiver;
  /** The server has switched to the protocol that the client asked for. */
  onSwitched(group: ServingGroup, attempt: Attempt, head: ResponseHead): void;
  /** The answer broke off when its head was passed on already. */
  onBrokenOff(cause: Cause): void;
  /** There is no answer, and there will be none. */
  onNoAnswer(code: ErrorCode, detail: string | undefined): void;
  /** Its session went with its server. */
  onSessionLost(): void;
  /** Body bytes have left, so the client may send more. */
  onBodySent(): void;
}

const NO_TRIES: readonly number[] = [];
/** Whoever waits at a door goes by its opening, not by its own clock beside it. */
const DOOR_SLACK_MS = 1_000;

/** The way of one exchange from server to server, until an answer stands or none is left to ask. */
export class Attempts implements AttemptOwner, Waiter {
  readonly #owner: AttemptsOwner;
  readonly #group: ServingGroup;
  /** Servers that this exchange has met, by index. */
  #tried = NO_TRIES;
  #current: Attempt | undefined;
  #parked: ParkedAnswer | undefined;
  #deadline: Deadline | undefined;
  /** The current server's stale connection was replaced by a new one. */
  #redialled = false;
  #outOfTime = false;
  /** While it waits: since when, in monotonic milliseconds. */
  #waitsSince: number | undefined;
  /** It waits for an operator, not for a server. */
  #isAtDoor = false;
  /** How long it has waited for servers so far. */
  #waitedMs = 0;
  /** How long it may. */
  #patience: Deadline | undefined;
  /** The head of an answer was passed on. */
  #answered = false;
  #over = false;
  /** The protocol that the servers are asked to switch to. */
  readonly #upgrade: string | undefined;

  constructor(owner: AttemptsOwner, group: ServingGroup) {
    this.#owner = owner;
    this.#group = group;
    const { upgrade } = owner.head;
    this.#upgrade =
      upgrade !== undefined && group.config.upgrade.has(upgrade) ? upgrade : undefined;
  }

  begin(): void {
    this.#armDeadline();
    if (this.#isDoorHeld) this.#wait();
    else this.#advance();
  }

  /** The group has changed while it waits. */
  look(): void {
    const { door } = this.#group.state.orders;
    // Held for longer, or held only now.
    if (door.kind === "held") return this.#waitAnew();
    if (door.kind === "maintenance") {
      this.#leaveRoom();
      return this.#owner.onNoAnswer("MAINTENANCE", undefined);
    }
    this.#tried = this.#stillOut();
    const server = this.#choose();
    if (server === undefined) return this.#isAtDoor ? this.#waitAnew() : undefined;
    this.#leaveRoom();
    this.#tryNext(server);
  }

  /** More of the request's body is here, or can be read again. */
  pump(): void {
    this.#current?.pump();
  }

  /** The client takes no more of the answer for now. */
  pause(): void {
    this.#current?.pause();
  }

  resume(): void {
    this.#current?.resume();
  }

  /** The exchange is over, whatever is still going on; no cause: as it should be. */
  end(cause: Cause | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.end();
    this.#leaveRoom();
    this.#parked?.discard();
    if (this.#current === undefined) return;
    const wasRunning = this.#current.abandon(cause);
    if (wasRunning && cause !== undefined) this.#judge(this.#current, this.#current.failure(cause));
    this.#reportSuccess(this.#current);
  }

  onInformation(_: Attempt, head: ResponseHead): void {
    this.#owner.onInformation(head);
  }

  onBodySent(): void {
    this.#owner.onBodySent();
  }

  onAnswer(attempt: Attempt, head: ResponseHead): void {
    if (!this.#isExpected(attempt, head)) {
      return attempt.reject("identity", "another pool or release than expected");
    }
    if (head.status === 101) return this.#onSwitched(attempt, head);
    const isFailure = isListed(this.#group.policy, head.status);
    if (!isFailure || !this.#moveOn(attempt, head)) this.#deliver(attempt, head);
  }

  onFailure(attempt: Attempt, failure: Failure): void {
    if (attempt === this.#parked?.attempt) {
      this.#parked = undefined;
      return;
    }
    const decision = this.#judge(attempt, failure);
    if (this.#answered) return this.#owner.onBrokenOff(failure.cause);
    switch (decision) {
      case "redial":
        this.#redialled = true;
        return this.#try(attempt.state);
      case "next":
        return this.#advance();
      case "return":
        return this.#settleForLess();
    }
  }

  onRescue(attempt: Attempt): void {
    if (this.#over || attempt !== this.#current) return;
    if (this.#hasLostSession()) return this.#endSession(attempt);
    if (!mayRescue(this.#group.policy, this.#facts(), attempt.sentBytes)) return;
    const server = this.#choose();
    if (server === undefined && !this.#mayWait()) return;
    attempt.decision = "rescue";
    attempt.why = "its server went down while it waited";
    attempt.abandon("moved");
    if (server === undefined) this.#wait();
    else this.#tryNext(server);
  }

  /** A poll waits for what its server will never say; who sent something waits for the answer to that. */
  #hasLostSession(): boolean {
    const { binding, head } = this.#owner;
    return binding !== undefined && head.method === "GET" && this.#group.hasLost(binding);
  }

  #endSession(attempt: Attempt): void {
    attempt.why = "its server went down while it waited, and no other one knows the session";
    attempt.abandon("moved");
    this.#owner.onSessionLost();
  }

  /** Goes on to the next server, or ends with the best there is. */
  #advance(): void {
    const server = this.#choose();
    if (server !== undefined) return this.#tryNext(server);
    if (this.#mayWait()) return this.#wait();
    const { attempts } = this.#owner.notes;
    this.#noteEnd();
    if (this.#group.policy.lastAnswer === "nginx") {
      attempts.push(noLiveServer(this.#group.config.name));
    }
    if (attempts.length > 0) this.#settleForLess();
    else this.#owner.onNoAnswer("NO_SERVER", this.#group.whyNone(this.#tried));
  }

  // ---- waiting

  get #isDoorHeld(): boolean {
    return this.#group.state.orders.door.kind === "held";
  }

  /** Where nobody can take it, `hold` of the group lets it wait; not with a real answer at hand. */
  #mayWait(): boolean {
    return this.#maysWait() && this.#parked === undefined;
  }

  #maysWait(): boolean {
    return this.#group.config.hold.whenDown && this.#mayGoOn();
  }

  /** Until it is let in; nothing of it is sent meanwhile. */
  #wait(): void {
    const { hold } = this.#group.config;
    const { room, context } = this.#group;
    const leftMs = this.#patienceMs();
    if (room.size >= hold.requests) return this.#giveUp(`${hold.requests} requests wait already`);
    if (leftMs <= 0) return this.#giveUp(undefined);
    if (this.#current?.decision === "next") {
      this.#current.decision = "hold";
      this.#current.why += ", which is not there yet";
    }
    this.#patience ??= new Deadline(context.wheel, () => this.#giveUp(undefined));
    this.#patience.arm(leftMs);
    this.#waitsSince = context.clock.now();
    this.#isAtDoor = this.#isDoorHeld;
    room.enter(this);
  }

  /** What it waits for, or how long it may, is another. */
  #waitAnew(): void {
    this.#leaveRoom();
    this.#wait();
  }

  /** At the door as long as the hold lasts, which ends by itself; for a server as the group is configured. */
  #patienceMs(): number {
    const { door } = this.#group.state.orders;
    if (door.kind !== "held") return this.#group.config.hold.maxMs - this.#waitedMs;
    return Math.max(0, door.until - this.#group.context.clock.now()) + DOOR_SLACK_MS;
  }

  #leaveRoom(): void {
    if (this.#waitsSince === undefined) return;
    const { room, context } = this.#group;
    const waitedMs = context.clock.now() - this.#waitsSince;
    room.leave(this);
    this.#patience?.disarm();
    this.#owner.notes.heldMs += waitedMs;
    if (!this.#isAtDoor) this.#waitedMs += waitedMs;
    this.#waitsSince = undefined;
  }

  #giveUp(why: string | undefined): void {
    this.#leaveRoom();
    this.#noteEnd();
    this.#owner.onNoAnswer("HELD", why ?? this.#group.whyNone(this.#tried));
  }

  /** Those that it has met, and that have not recovered since. */
  #stillOut(): readonly number[] {
    const { servers } = this.#group.state;
    return this.#tried.filter((index) => servers[index]?.health.status !== "up");
  }

  /** The attempt that should have been followed by another one was the last. */
  #noteEnd(): void {
    const last = this.#current;
    if (last?.decision !== "next" && last?.decision !== "hold") return;
    last.decision = "return";
    last.why += ", but no other server is left";
  }

  /** No server is left or allowed: the last real answer, else the gateway's own. */
  #settleForLess(): void {
    const parked = this.#parked;
    if (parked !== undefined) return this.#deliverParked(parked);
    const status = exhaustedStatus(this.#group.policy, this.#owner.notes.attempts);
    this.#owner.onNoAnswer(status === 504 ? "SERVER_TIMEOUT" : "SERVER_FAILED", undefined);
  }

  #choose(): ServerState | undefined {
    const { head, clientFacts, notes } = this.#owner;
    const pick =
      this.#chooseBound() ??
      this.#group.choose(
        this.#tried,
        drawKeyOf(this.#group, head, clientFacts),
        preferredPool(this.#group, head, clientFacts, notes.requestId),
      );
    if (pick?.trial === true) {
      this.#group.report({ type: "trial-started", server: pick.server.index });
    }
    return pick?.server;
  }

  #chooseBound(): Pick | undefined {
    const { binding } = this.#owner;
    if (binding?.server === undefined) return undefined;
    const pick = this.#group.chooseBound(binding.server, this.#tried);
    if (pick !== undefined) binding.outcome = "bound";
    return pick;
  }

  #tryNext(server: ServerState): void {
    this.#tried = [...this.#tried, server.index];
    this.#redialled = false;
    this.#try(server);
  }

  #try(server: ServerState): void {
    const { attempts } = this.#owner.notes;
    this.#owner.body?.rewind();
    const request = this.#outgoing(server);
    const attempt = new Attempt(this, this.#group, server, request, attempts.length + 1);
    this.#current = attempt;
    attempts.push(attempt);
    attempt.start(this.#redialled);
  }

  #outgoing(server: ServerState): OutgoingRequest {
    const { head, clientFacts, notes, body, awaitsContinue } = this.#owner;
    const { policy, config } = this.#group;
    const trace = notes.trace && nextSpan(notes.trace);
    return {
      spanId: trace?.spanId,
      method: head.method,
      headText: serialiseRequest(head, {
        clientAddress: clientFacts.address,
        scheme: clientFacts.scheme,
        localPort: clientFacts.localPort,
        trusted: clientFacts.trusted,
        requestId: notes.requestId,
        // HTTP/1.0 may come without a Host; HTTP/1.1 may not go on without one.
        host: config.hostHeader === "server" || head.host === "" ? hostOf(server) : undefined,
        upgrade: this.#upgrade !== undefined,
        expectContinue: awaitsContinue,
        hiddenCookie: this.#group.hiddenCookie,
        trace,
      }),
      body,
      repeatable: isRepeatable(policy, {
        method: head.method,
        idempotencyKey: policy.trustIdempotencyKey && this.#hasIdempotencyKey(),
      }),
      asksFirst: awaitsContinue,
      readMs: this.#readMs(),
    };
  }

  /** Writes the verdict into the attempt, and the strike to the group's account. */
  #judge(attempt: Attempt, failure: Failure): Verdict["decision"] {
    const verdict = judge(this.#group.policy, this.#facts(), failure);
    // An answer that was parked for its status may break off later: that is one strike, not two.
    const wasCounted = attempt.counted;
    const isStrike = verdict.counted && !wasCounted && !isNameless(failure);
    attempt.counted = wasCounted || isStrike;
    attempt.decision = verdict.decision;
    if (failure.cause === "local") this.#owner.notes.shortage = attempt.detail;
    attempt.why = attempt.detail === "" ? verdict.why : `${verdict.why} (${attempt.detail})`;
    if (isNameless(failure)) {
      const { index } = attempt.state;
      this.#group.report({ type: "resolve-failed", server: index, reason: attempt.detail });
    } else if (isStrike) {
      const { index, generation } = attempt.state;
      this.#group.report({ type: "attempt-failed", server: index, generation, failure });
    }
    return verdict.decision;
  }

  #facts(): RequestFacts {
    const { head, body, notes } = this.#owner;
    return {
      method: head.method,
      idempotencyKey: this.#hasIdempotencyKey(),
      replayable: body?.canRestart ?? true,
      triesLeft: this.#triesLeft(),
      elapsedMs: notes.elapsedMs(this.#group.context.clock.now()),
      answered: this.#answered,
      redialed: this.#redialled,
    };
  }

  #triesLeft(): number {
    if (!this.#mayGoOn()) return 0;
    const left = triesLeft(this.#group.state, this.#tried);
    // Whoever may wait for a server may ask the same one once it is back.
    return left === 0 && this.#group.policy.tries === 0 && this.#maysWait() ? 1 : left;
  }

  #mayGoOn(): boolean {
    return !this.#outOfTime && this.#owner.binding?.isExclusive !== true;
  }

  /** A long poll is silent until there is something to say. */
  #readMs(): number {
    const { readMs } = this.#group.config.timeouts;
    return readMs === 0 ? 0 : Math.max(readMs, this.#owner.binding?.patienceMs ?? 0);
  }

  #hasIdempotencyKey(): boolean {
    return this.#owner.head.field("idempotency-key") !== undefined;
  }

  /** True where a listed status was not the end: another server is asked, or (nginx) none is left. */
  #moveOn(attempt: Attempt, head: ResponseHead): boolean {
    attempt.cause = "status";
    const decision = this.#judge(attempt, attempt.failure("status"));
    if (decision !== "next") return false;
    const keepsAnswer = this.#group.policy.lastAnswer === "real";
    const server = this.#choose();
    if (server === undefined && keepsAnswer) {
      this.#noteEnd();
      return false;
    }
    this.#parked?.discard();
    this.#parked = keepsAnswer ? new ParkedAnswer(attempt, head) : undefined;
    if (!keepsAnswer) attempt.abandon("status");
    if (server === undefined) this.#advance();
    else this.#tryNext(server);
    return true;
  }

  #deliver(attempt: Attempt, head: ResponseHead): void {
    this.#parked?.discard();
    this.#parked = undefined;
    this.#answered = true;
    this.#armDeadlineOfAnswer(head);
    attempt.deliver(this.#owner.onAnswer(this.#group, attempt, head));
  }

  #deliverParked(parked: ParkedAnswer): void {
    this.#parked = undefined;
    this.#current = parked.attempt;
    this.#answered = true;
    this.#armDeadlineOfAnswer(parked.head);
    parked.attempt.why += ", and no other server gave a better answer";
    parked.unpark(this.#owner.onAnswer(this.#group, parked.attempt, parked.head));
  }

  #onSwitched(attempt: Attempt, head: ResponseHead): void {
    if (head.upgrade === undefined || head.upgrade !== this.#upgrade) {
      return attempt.reject("malformed", "switched to a protocol that nobody asked for");
    }
    this.#answered = true;
    this.#deadline?.end();
    this.#owner.onSwitched(this.#group, attempt, head);
  }

  /** `expect_pool` and `expect_release`: an address may have gone to another service meanwhile. */
  #isExpected(attempt: Attempt, head: ResponseHead): boolean {
    const expected = this.#group.config.expect.get(attempt.pool);
    if (expected === undefined) return true;
    const { pool, release } = expected;
    // Handshakes are answered by libraries, which mostly know nothing of the app's own fields.
    const maySayNothing = head.status === 101;
    return (
      isNamed(pool, head.appPool, maySayNothing) && isNamed(release, head.releaseId, maySayNothing)
    );
  }

  #armDeadline(): void {
    const { nextUpstreamTimeoutMs, cutRunning } = this.#group.policy;
    const { totalMs } = this.#group.config.timeouts;
    const nextMs = cutRunning ? nextUpstreamTimeoutMs : 0;
    if (totalMs === 0 && nextMs === 0) return;
    this.#deadline = new Deadline(this.#group.context.wheel, () => {
      this.#outOfTime = true;
      if (this.#waitsSince !== undefined) this.#giveUp(undefined);
      else this.#current?.cut();
    });
    this.#deadline.arm(Math.min(totalMs || Infinity, nextMs || Infinity));
  }

  /** Of the two times only `timeouts.total` lasts to the end of the answer, where that is to end. */
  #armDeadlineOfAnswer(head: ResponseHead): void {
    const { totalMs } = this.#group.config.timeouts;
    if (totalMs === 0 || isEventStream(head)) return this.#deadline?.end();
    const elapsedMs = this.#owner.notes.elapsedMs(this.#group.context.clock.now());
    this.#deadline?.arm(Math.max(1, totalMs - elapsedMs));
  }

  /** Where a server is on trial, the end of an exchange without a strike is its acquittal. */
  #reportSuccess(attempt: Attempt): void {
    const { policy, state } = this.#group;
    const { index, generation } = attempt.state;
    const server = state.servers[index];
    if (server === undefined || !wantsSuccess(server, policy)) return;
    if (attempt.cause !== undefined && !provesHealth(policy, attempt)) return;
    this.#group.report({ type: "attempt-succeeded", server: index, generation });
  }
}

function isNamed(
  expected: string | undefined,
  told: string | undefined,
  maySayNothing: boolean,
): boolean {
  if (expected === undefined || expected === told) return true;
  return maySayNothing && told === undefined;
}

/** Its name has no address, which is a state of its own and no strike. */
function isNameless(failure: Failure): boolean {
  return failure.phase === "resolve" && failure.cause === "refused";
}

function hostOf({ spec }: ServerState): string {
  return spec.address.startsWith("unix:") ? "localhost" : spec.address;
}
