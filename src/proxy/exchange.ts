import { type ErrorCode, ERRORS } from "../errors.ts";
import type { Cause } from "../failover/attempt.ts";
import { serialiseResponse } from "../http1/forward-response.ts";
import type { Framing } from "../http1/framing.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { AnswerRelay, type AnswerSink, type RelayOwner } from "./answer-relay.ts";
import type { AnswerReceiver, Attempt } from "./attempt.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import type { Binding } from "./binding.ts";
import type { ProxyContext } from "./context.ts";
import { EventStream, isEventStream } from "./event-stream.ts";
import { type ClientFacts, ExchangeNotes } from "./exchange-notes.ts";
import { writeOwnAnswer } from "./own-answer.ts";
import { RequestBody } from "./request-body.ts";
import { servedByLines } from "./served-by.ts";
import type { ServingGroup } from "./serving-group.ts";
import type { Site } from "./site.ts";
import { beginTrace } from "./trace-context.ts";
import { Tunnel } from "./tunnel.ts";
import type { TunnelClient } from "./tunnel-client.ts";

/** What an exchange needs of its client's connection. */
export interface ExchangeClient extends AnswerSink {
  readonly facts: ClientFacts;
  /** Milliseconds from the first byte of the request's head to its last. */
  readonly headMs: number;
  /** May the connection serve another request after this one? */
  readonly mayStay: boolean;
  /** The body is wanted again after it was too much for a while. */
  onBodyWanted(): void;
  /** Stops being HTTP. */
  openTunnel(): TunnelClient;
  /** All is written. `stay`: wait for the next request; else close. */
  onExchangeEnd(stay: boolean): void;
  /** Breaks the connection so that what was sent never looks whole. */
  cut(): void;
}

const NOTHING_KEPT = { memoryBytes: 0, limitBytes: 0 };
const BODILESS = { keepAlive: true, framing: 0, extra: "" } as const;

/** One request of a client and its answer, from the head to the log line. */
export class Exchange implements AttemptsOwner, RelayOwner {
  readonly head: RequestHead;
  readonly notes: ExchangeNotes;
  /** Undefined for a request without a body. */
  readonly body: RequestBody | undefined;
  binding: Binding | undefined;
  readonly #context: ProxyContext;
  readonly #site: Site;
  readonly #client: ExchangeClient;
  readonly #group: ServingGroup | undefined;
  #attempts: Attempts | undefined;
  #relay: AnswerRelay | undefined;
  #stream: EventStream | undefined;
  #tunnel: Tunnel | undefined;
  #toldToContinue = false;
  /** The client was promised that its connection stays open. */
  #stay = false;
  #over = false;

  constructor(context: ProxyContext, site: Site, client: ExchangeClient, head: RequestHead) {
    this.#context = context;
    this.#site = site;
    this.#client = client;
    this.head = head;
    this.notes = new ExchangeNotes(client.facts, head, context.clock);
    this.notes.beganBefore(client.headMs);
    const { tracing } = site.config;
    if (tracing !== undefined) {
      const { random } = context;
      this.notes.trace = beginTrace(head.field("traceparent"), tracing.sample, random);
    }
    this.#group = site.router.find(head.host, head.path);
    this.notes.group = this.#group?.config.name;
    if (head.framing !== 0) this.body = this.#createBody(head.framing);
  }

  /** The head is read, and so much of the body as came with it. */
  begin(): void {
    if (this.#context.loopDelay.exceeds(this.#site.config.limits.loopDelayMs)) {
      return this.answer("OVERLOADED", "the event loop is late (limits.loop_delay)");
    }
    if (this.#group === undefined) return this.answer("NO_ROUTE");
    if (this.head.method === "TRACE" || isForUs(this.head)) {
      return this.answer("METHOD_NOT_ALLOWED");
    }
    const { servers, orders } = this.#group.state;
    if (orders.door.kind === "maintenance") return this.answer("MAINTENANCE");
    if (servers.length === 0) return this.answer("NO_POOL");
    this.binding = this.#group.bind(this.head, this.clientFacts);
    if (this.binding !== undefined && this.#group.hasLost(this.binding))
      return this.onSessionLost();
    this.#attempts = new Attempts(this, this.#group);
    this.#attempts.begin();
  }

  get clientFacts(): ClientFacts {
    return this.#client.facts;
  }

  get awaitsContinue(): boolean {
    return this.head.expectsContinue && !this.#toldToContinue;
  }

  // ---- what the client's connection tells

  /** More of the body is here, or its end. */
  onBodyArrived(): void {
    this.#attempts?.pump();
  }

  onClientDrain(): void {
    this.#attempts?.resume();
  }

  /** The client has left. */
  onClientGone(): void {
    if (this.#over) return;
    this.notes.error = "CLIENT_GONE";
    if (this.notes.status === 0) this.notes.status = ERRORS.CLIENT_GONE.status;
    if (this.#tunnel !== undefined) this.notes.closedBy = "client";
    // It may have ended its own side only, and still read.
    if (this.#relay !== undefined) return this.#cut();
    this.#end();
  }

  /** The gateway answers itself, in place of whatever is going on; cuts where that is too late. */
  answer(code: ErrorCode, detail?: string): void {
    if (this.#over) return;
    this.notes.error = code;
    this.notes.why = detail;
    if (this.#tunnel !== undefined) this.notes.closedBy = "stop";
    if (this.#relay !== undefined || this.#tunnel !== undefined) return this.#cut();
    const stay = this.#mayStay();
    const { text, bodyBytes } = writeOwnAnswer({
      code,
      at: this.#context.clock.wall(),
      // What is wrong with the request is the client's to know, what is wrong behind us is not.
      detail: ERRORS[code].status < 500 ? detail : undefined,
      requestId: this.notes.requestId,
      accept: this.head.field("accept"),
      origin: this.head.field("origin"),
      isHead: this.head.method === "HEAD",
      keepAlive: stay,
      extra: retryAfterLine(code, this.#group) + this.#extraLines(),
      page: pageOf(code, this.#group),
    });
    this.notes.status = ERRORS[code].status;
    this.notes.sentBodyBytes = bodyBytes;
    this.#write(text);
    this.#end();
    this.#client.onExchangeEnd(stay);
  }

  // ---- what the attempts tell

  onInformation(head: ResponseHead): void {
    if (this.head.minor === 0 || this.#relay !== undefined) return;
    if (head.status === 100) {
      if (!this.awaitsContinue) return;
      this.#toldToContinue = true;
    }
    this.#write(serialiseResponse(head, { ...BODILESS, clientMinor: this.head.minor }));
    if (this.#client.needsDrain) this.#attempts?.pause();
  }

  onAnswer(group: ServingGroup, attempt: Attempt, head: ResponseHead): AnswerReceiver {
    this.body?.stopKeeping(attempt.n === 1 && attempt.isFlushed);
    this.#noteAnswer(attempt, head);
    if (head.releaseId !== undefined) group.endpoint(attempt.state).release = head.releaseId;
    const framing = clientFraming(head.framing, this.head.minor);
    this.#stay = framing !== "close" && this.#mayStay();
    const text = serialiseResponse(head, {
      clientMinor: this.head.minor,
      keepAlive: this.#stay,
      framing,
      extra: this.#bindingLines(attempt, head) + this.#extraLines(),
    });
    this.#relay = new AnswerRelay(this.#client, this, text, framing);
    if (isEventStream(head)) return this.#createStream(group, attempt, this.#relay);
    return this.binding?.readAlong(this.#relay, attempt, head) ?? this.#relay;
  }

  onSwitched(group: ServingGroup, attempt: Attempt, head: ResponseHead): void {
    this.#noteAnswer(attempt, head);
    const extra = this.#bindingLines(attempt, head);
    this.#write(serialiseResponse(head, { ...BODILESS, extra, clientMinor: 1 }));
    this.#tellUpgrade();
    const tunnel = this.#createTunnel(group, attempt);
    this.#tunnel = tunnel;
    attempt.deliver(tunnel);
    group.admit(attempt.state, tunnel, attempt.startedAt);
    tunnel.start();
  }

  onNoAnswer(code: ErrorCode, detail: string | undefined): void {
    this.answer(code, detail);
  }

  onSessionLost(): void {
    if (this.binding !== undefined) this.binding.outcome = "lost";
    this.answer("UNKNOWN_SESSION");
  }

  onBrokenOff(cause: Cause): void {
    this.notes.error = cause === "timeout" ? "SERVER_TIMEOUT" : "SERVER_FAILED";
    this.#cut();
  }

  onBodySent(): void {
    if (!this.#over) this.#client.onBodyWanted();
  }

  // ---- what the relay tells

  onClientFull(): void {
    this.#attempts?.pause();
  }

  onRelayed(): void {
    const stay = this.#stay && this.#bodyIsHere();
    this.#end();
    this.#client.onExchangeEnd(stay);
  }

  #createStream(group: ServingGroup, attempt: Attempt, relay: AnswerRelay): EventStream {
    const stream = new EventStream(relay, {
      wheel: this.#context.wheel,
      onLeave: (by) => {
        this.notes.closedBy = by;
        this.#attempts?.end(undefined);
      },
      onClosed: () => group.dismiss(attempt.state, stream),
    });
    this.#stream = stream;
    // It says something when there is something to say.
    attempt.allowSilence(group.config.timeouts.tunnelMs, () => stream.endSilent());
    group.admit(attempt.state, stream, attempt.startedAt);
    return stream;
  }

  #createTunnel(group: ServingGroup, attempt: Attempt): Tunnel {
    const { timeouts, spec } = group.config;
    const tunnel = new Tunnel(this.#client.openTunnel(), attempt.takeConnection(), {
      wheel: this.#context.wheel,
      protocol: this.head.upgrade ?? "",
      idleMs: timeouts.tunnelMs,
      graceMs: spec.drain.graceMs,
      onEnd: (closedBy) => {
        this.notes.closedBy ??= closedBy;
        attempt.endTunnel();
        this.#end();
      },
      onClosed: () => group.dismiss(attempt.state, tunnel),
    });
    return tunnel;
  }

  #createBody(framing: Framing): RequestBody {
    const body = new RequestBody(framing, this.#group?.config.replay ?? NOTHING_KEPT);
    body.onProgress = () => {
      this.#attempts?.pump();
      this.onBodySent();
    };
    body.onSpoolFailed = (error) => {
      this.notes.shortage = `a temporary file for a request's body: ${error.message}`;
      if (body.broken) this.answer("NO_STORAGE");
    };
    return body;
  }

  #noteAnswer(attempt: Attempt, head: ResponseHead): void {
    this.notes.answer = head;
    this.notes.status = head.status;
    this.notes.pool = head.appPool ?? attempt.pool;
    this.notes.release = head.releaseId ?? attempt.release;
  }

  #bindingLines(attempt: Attempt, head: ResponseHead): string {
    return this.binding?.linesFor(attempt.state, head) ?? "";
  }

  #tellUpgrade(): void {
    const { notes } = this;
    const { requestTimeMs } = notes;
    notes.requestTimeMs += notes.elapsedMs(this.#context.clock.now());
    this.#context.onUpgrade(notes);
    // Of the end's line the time begins anew where that of the head ended.
    notes.requestTimeMs = requestTimeMs;
  }

  #extraLines(): string {
    return this.#site.config.servedBy ? servedByLines(this.notes) : "";
  }

  #bodyIsHere(): boolean {
    return this.body === undefined || this.body.complete;
  }

  #mayStay(): boolean {
    return this.head.keepAlive && this.#client.mayStay && this.#bodyIsHere();
  }

  #write(text: string): void {
    this.notes.sentBytes += text.length;
    this.#client.write(text);
  }

  /** What was sent must not look whole. */
  #cut(): void {
    this.#end();
    this.#client.cut();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#attempts?.end("aborted");
    this.binding?.end();
    this.#stream?.destroy();
    this.body?.discard();
    this.#writeNotes();
  }

  #writeNotes(): void {
    const { notes } = this;
    const carrier = this.#relay ?? this.#tunnel;
    notes.sentBodyBytes = carrier?.bodyBytes ?? notes.sentBodyBytes;
    notes.sentBytes += carrier?.sentBytes ?? 0;
    notes.requestBytes += this.body?.received ?? this.#tunnel?.clientBytes ?? 0;
    notes.affinity = this.binding?.outcome;
    notes.requestTimeMs += notes.elapsedMs(this.#context.clock.now());
    this.#context.onExchange(notes);
  }
}

/** RFC 9110 7.6.2: OPTIONS that may go no further is for the gateway to answer. */
function isForUs(head: RequestHead): boolean {
  return head.method === "OPTIONS" && /^0+$/.test(head.field("max-forwards") ?? "");
}

/** Of the times that a group tells; RFC 9110 10.2.3 counts in seconds. */
function retryAfterLine(code: ErrorCode, group: ServingGroup | undefined): string {
  if (group === undefined || (code !== "MAINTENANCE" && code !== "HELD")) return "";
  const { hold, maintenance } = group.config;
  const ms = code === "HELD" ? hold.maxMs : maintenance.retryAfterMs;
  return `Retry-After: ${Math.ceil(ms / 1_000)}\r\n`;
}

function pageOf(code: ErrorCode, group: ServingGroup | undefined) {
  const { page } = group?.config.maintenance ?? {};
  if (code === "MAINTENANCE" && page !== undefined) return page;
  return group?.config.errorPages.get(ERRORS[code].status);
}

function clientFraming(framing: Framing, minor: 0 | 1): Framing {
  if (typeof framing === "number") return framing;
  return minor === 1 ? "chunked" : "close";
}
