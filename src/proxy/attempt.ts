import type { AttemptRecord, Cause, Decision, Phase } from "../failover/attempt.ts";
import type { Failure } from "../failover/failure.ts";
import type { ServerState } from "../failover/server.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { type AnswerEvents, AnswerReader } from "./answer-reader.ts";
import type { ProxyContext } from "./context.ts";
import { Dial, type DialFailure, type DialResult } from "./dial.ts";
import type { Endpoint, Waiting } from "./endpoint.ts";
import type { RequestBody } from "./request-body.ts";
import { RequestSender } from "./request-sender.ts";
import type { ConnectionUser, ServerConnection } from "./server-connection.ts";
import type { ServingGroup } from "./serving-group.ts";
import { causeOf, errorCode } from "./socket-error.ts";

/** What an attempt tells its exchange. */
export interface AttemptOwner {
  /** 100, 102 or 103: more will come. */
  onInformation(attempt: Attempt, head: ResponseHead): void;
  /** The final head (or a 101): deliver(), reject() or abandon() before returning. */
  onAnswer(attempt: Attempt, head: ResponseHead): void;
  /** No usable answer, or it broke off. */
  onFailure(attempt: Attempt, failure: Failure): void;
  /** The server went down while this attempt waits for the first byte. */
  onRescue(attempt: Attempt): void;
  /** Body bytes have left, so the client may send more. */
  onBodySent(): void;
}

/** Who takes the body of an answer: the relay to the client, a parked answer, a tunnel. */
export interface AnswerReceiver {
  /** `bytes[from, to)` are valid until the call returns. */
  onBody(bytes: Buffer, from: number, to: number): void;
  /** All that was read at once is through: pass on what was gathered. */
  onReadEnd(): void;
  onAnswerEnd(trailers: string): void;
}

/** The request as an attempt sends it. */
export interface OutgoingRequest {
  readonly method: string;
  /** Of the attempt in a trace; undefined where it is not recorded. */
  readonly spanId: string | undefined;
  readonly headText: string;
  readonly body: RequestBody | undefined;
  /** May it be sent twice, by its method? */
  readonly repeatable: boolean;
  /** The server is asked whether the body is welcome, so it may answer before it is sent. */
  readonly asksFirst: boolean;
  /** Milliseconds between two reads from the server; 0 = no limit. */
  readonly readMs: number;
}

/** One try of an exchange at one server: dial or reuse, send, read the answer, tell how it went. */
export class Attempt implements AttemptRecord, AnswerEvents, ConnectionUser, DialResult, Waiting {
  readonly n: number;
  readonly state: ServerState;
  readonly pool: string;
  readonly server: string;
  release: string | undefined;
  addr: string;
  reused = false;
  phase: Phase = "connect";
  cause: Cause | undefined;
  receivedBytes = 0;
  connectMs: number | undefined;
  headMs: number | undefined;
  totalMs = 0;
  status: number | undefined;
  counted = false;
  decision: Decision = "return";
  why = "";
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  readonly spanId: string | undefined;
  /** What exactly broke, in Node's or the codec's words. */
  detail = "";

  readonly #owner: AttemptOwner;
  readonly #group: ServingGroup;
  readonly #context: ProxyContext;
  readonly #request: OutgoingRequest;
  readonly #endpoint: Endpoint;
  readonly #reader: AnswerReader;
  place = -1;
  #dial: Dial | undefined;
  #connection: ServerConnection | undefined;
  #sender: RequestSender | undefined;
  #head: ResponseHead | undefined;
  #receiver: AnswerReceiver | undefined;
  #readMs: number;
  #endSilent: (() => boolean) | undefined;
  #paused = false;
  #isBlamed = true;
  #over = false;

  constructor(
    owner: AttemptOwner,
    group: ServingGroup,
    state: ServerState,
    request: OutgoingRequest,
    n: number,
  ) {
    this.n = n;
    this.spanId = request.spanId;
    this.state = state;
    this.pool = state.spec.pool;
    this.server = state.spec.address;
    this.release = group.config.releases.get(state.spec.pool);
    this.addr = state.spec.address;
    this.#owner = owner;
    this.#group = group;
    this.#context = group.context;
    this.#request = request;
    this.#endpoint = group.endpoint(state);
    this.#readMs = request.readMs;
    this.#reader = new AnswerReader(request.method, group.answerLimits, this);
    this.startedAt = group.context.clock.now();
  }

  /** `fresh`: dial in any case (a kept-alive connection has just turned out to be stale). */
  start(fresh: boolean): void {
    this.#group.seat(this.state).inFlight += 1;
    this.#endpoint.waiting.add(this);
    const idle = fresh
      ? undefined
      : this.#endpoint.takeIdle(this.startedAt, this.#request.repeatable);
    if (idle !== undefined) {
      this.reused = true;
      return this.#send(idle);
    }
    const { connectMs } = this.#group.config.timeouts;
    this.#dial = new Dial(this.#endpoint, this.#context, connectMs, this);
    this.#dial.start();
  }

  get sentBytes(): number {
    return this.#sender?.sentBytes ?? 0;
  }

  /** True where the system has taken all that was sent. */
  get isFlushed(): boolean {
    return this.#connection?.pendingBytes === 0;
  }

  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** More of the request's body is here. */
  pump(): void {
    const sender = this.#sender;
    if (sender === undefined || sender.done || this.#over) return;
    sender.pump();
    if (this.phase === "send" && sender.done) this.phase = "head";
    this.#armDeadline();
    if (this.#request.body !== undefined) this.#owner.onBodySent();
  }

  /** The answer's body goes there from now on. */
  deliver(receiver: AnswerReceiver): void {
    this.#receiver = receiver;
    const isWaiting = this.phase === "send" || this.phase === "head";
    if (isWaiting && this.cause === undefined) this.phase = "body";
  }

  /** The body belongs to the next attempt: this server gets no more of it, whatever it still says. */
  stopSending(): void {
    this.#sender?.stop();
    this.#armDeadline();
  }

  /** The exchange cannot use the answer whose head it was just given. */
  reject(cause: Cause, detail: string): void {
    this.#fail(cause, detail);
  }

  /** From now on `ms` may pass between two reads of the answer; 0 = any time. `end`: could it end then? */
  allowSilence(ms: number, end: () => boolean): void {
    this.#readMs = ms;
    this.#endSilent = end;
    this.#armDeadline();
  }

  /** The receiver can take no more for now. */
  pause(): void {
    if (this.#paused || this.#over) return;
    this.#paused = true;
    this.#connection?.pause();
    this.#connection?.deadline.disarm();
  }

  resume(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    this.#connection?.resume();
    this.#armDeadline();
  }

  /**
   * Ends it without a word to its exchange: the client left, or the request moves on. False where
   * it was over already.
   */
  abandon(cause: Cause | undefined): boolean {
    if (this.#over) return false;
    this.cause ??= cause;
    this.#finish();
    this.#dial?.cancel();
    this.#connection?.destroy();
    return true;
  }

  /** The time of its exchange is up, which is the server's fault only where it owes the head. */
  cut(): void {
    const isAwaited = this.#connection === undefined || this.#connection.deadline.at < Infinity;
    this.#isBlamed = this.#receiver === undefined && isAwaited;
    this.#fail("timeout", "the time for this exchange is up");
  }

  /** Gives the connection away to a tunnel, which tells by endTunnel() when it is through. */
  takeConnection(): ServerConnection {
    const connection = this.#connection;
    if (connection === undefined) throw new Error("no connection to take");
    this.phase = "upgrade";
    this.#connection = undefined;
    return connection;
  }

  endTunnel(): void {
    if (!this.#over) this.#finish();
  }

  rescue(): void {
    if (!this.#over) this.#owner.onRescue(this);
  }

  onDialled(connection: ServerConnection): void {
    this.#dial = undefined;
    this.#send(connection);
  }

  onDialFailed(failure: DialFailure): void {
    this.#dial = undefined;
    this.addr = failure.addr;
    this.phase = failure.phase;
    this.#fail(failure.cause, failure.code);
  }

  onConnected(): void {}

  onDrain(): void {
    this.pump();
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.receivedBytes === 0) this.#endpoint.waiting.delete(this);
    this.receivedBytes += length;
    if (this.#head !== undefined) this.#armDeadline();
    this.#reader.read(bytes, length);
    if (!this.#over) this.#receiver?.onReadEnd();
  }

  onEnd(): void {
    if (!this.#reader.end()) this.#fail("closed", "the server closed the connection");
  }

  onError(error: Error): void {
    this.#fail(causeOf(error), errorCode(error));
  }

  onDeadline(): void {
    if (this.#endSilent?.() === true) return;
    this.#fail("timeout", "");
  }

  onHead(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) {
      this.#armDeadline();
      return this.#owner.onInformation(this, head);
    }
    this.#head = head;
    this.status = head.status;
    this.release = head.releaseId ?? this.release;
    this.headMs = this.#elapsed();
    this.#armDeadline();
    this.#owner.onAnswer(this, head);
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    this.#receiver?.onBody(bytes, from, to);
  }

  onAnswerEnd(trailers: string, clean: boolean): void {
    const connection = this.#connection;
    this.#finish();
    if (connection !== undefined) this.#release(connection, clean);
    this.#receiver?.onAnswerEnd(trailers);
  }

  onMalformed(reason: string): void {
    this.#fail("malformed", reason);
  }

  #send(connection: ServerConnection): void {
    connection.user = this;
    this.#connection = connection;
    this.#endpoint.noteUse(connection);
    this.addr = connection.addr;
    this.connectMs = this.reused ? 0 : this.#elapsed();
    this.phase = "send";
    this.#sender = new RequestSender(connection, this.#request.headText, this.#request.body);
    this.pump();
  }

  /** Whose turn it is decides how long it may take. */
  #armDeadline(): void {
    const connection = this.#connection;
    const sender = this.#sender;
    if (connection === undefined || sender === undefined || this.#paused) return;
    const { sendMs } = this.#group.config.timeouts;
    if (sender.done || this.#isAsking()) connection.deadline.arm(this.#readMs);
    else if (connection.needsDrain) connection.deadline.arm(sendMs);
    // What is missing is the client's to bring, and the client has a deadline of its own.
    else connection.deadline.disarm();
  }

  /** The server has the head and should say whether it wants the body. */
  #isAsking(): boolean {
    return (
      this.#request.asksFirst && this.receivedBytes === 0 && this.#request.body?.received === 0
    );
  }

  #release(connection: ServerConnection, clean: boolean): void {
    const isReusable = clean && this.#sender?.complete === true && this.#head?.keepAlive === true;
    if (!isReusable) return connection.destroy();
    // A receiver that was full before the last byte is not the next one's concern.
    if (this.#paused) connection.resume();
    connection.announcedIdleMs = this.#head?.keepAliveTimeoutMs ?? connection.announcedIdleMs;
    this.#endpoint.giveBack(connection, this.#context.clock.now());
  }

  #fail(cause: Cause, detail: string): void {
    if (this.#over) return;
    const isWithinAnswer = this.#receiver !== undefined;
    this.cause = isWithinAnswer && isBreak(cause) ? "truncated" : cause;
    if (isWithinAnswer) this.phase = "body";
    if (cause === "reset" || cause === "closed") this.#endpoint.noteBreak();
    this.#finish();
    this.#dial?.cancel();
    this.#connection?.destroy();
    this.status ??= cause === "timeout" ? 504 : 502;
    this.detail = detail;
    this.#owner.onFailure(this, this.failure(this.cause));
  }

  /** This attempt as `judge` and the group see it. */
  failure(cause: Cause): Failure {
    const isOurs = cause === "local" || !this.#isBlamed;
    return {
      source: isOurs ? "gateway" : cause === "aborted" ? "client" : "server",
      phase: this.phase,
      cause,
      status: cause === "status" ? this.status : undefined,
      retryAfter: this.#head?.retryAfter ?? false,
      reused: this.reused,
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
    };
  }

  #finish(): void {
    this.#over = true;
    this.totalMs = this.#elapsed();
    this.#reader.stop();
    this.#endpoint.waiting.delete(this);
    this.#group.seat(this.state).inFlight -= 1;
    // It may be the place that somebody waits for.
    this.#group.room.tellChange();
  }

  #elapsed(): number {
    return this.#context.clock.now() - this.startedAt;
  }
}

function isBreak(cause: Cause): boolean {
  return cause === "reset" || cause === "closed" || cause === "malformed";
}
