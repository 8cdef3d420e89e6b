import type { Socket } from "node:net";
import type { HeadLimits } from "../http1/limits.ts";
import type { HeadProblem } from "../http1/problem.ts";
import { checkPartialHead, findHeadEnd, parseRequestHead } from "../http1/request-head.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { AcceptedSocket } from "./accepted-socket.ts";
import { BodyReader } from "./body-reader.ts";
import type { ProxyContext } from "./context.ts";
import { Deadline } from "./deadline-wheel.ts";
import { Exchange, type ExchangeClient } from "./exchange.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import { writeRefusal } from "./refusal.ts";
import type { Enrolled } from "./roll.ts";
import { takeBytes } from "./read-buffer.ts";
import type { RequestBody } from "./request-body.ts";
import { KEEP_ALIVE_MS } from "./server-connection.ts";
import type { Site } from "./site.ts";
import type { TunnelClient, TunnelUser } from "./tunnel-client.ts";

/** Bytes of further requests that are taken in while one is being answered. */
const PIPELINE_BYTES = 64 * 1024;
/** Milliseconds for a client to read an answer that came before its request was complete. */
const LINGER_MS = 5_000;
/** Milliseconds for the last words of a gateway that ends to reach the client. */
const LAST_WORDS_MS = 100;

/**
 * Where the conversation stands: between requests, within a head, within a body, waiting for the
 * answer of a complete request, saying goodbye, or no HTTP any more.
 */
type Phase = "idle" | "head" | "body" | "answer" | "closing" | "tunnel" | "closed";

export interface ConnectionOwner {
  /** The configuration that a request beginning now is served by. */
  readonly site: Site;
  /** True once nothing is accepted any more: answers carry `Connection: close`. */
  readonly isStopping: boolean;
  /** Milliseconds that a connection may be idle. */
  readonly idleMs: number;
  onClosed(connection: ClientConnection): void;
}

/** One connection of a client: its bytes become exchanges, one after the other. */
export class ClientConnection implements Enrolled, ExchangeClient, TunnelClient {
  readonly facts: ClientFacts;
  place = -1;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #context: ProxyContext;
  readonly #deadline: Deadline;
  #phase: Phase = "idle";
  /** Since when a head has been coming, in phase "head". */
  #headSince = 0;
  /** Bytes read and not yet used. */
  #unread: Buffer | undefined;
  #advancing = false;
  #exchange: Exchange | undefined;
  #served = 0;
  #bodyReader: BodyReader | undefined;
  #tunnelUser: TunnelUser | undefined;

  constructor(
    accepted: AcceptedSocket,
    facts: ClientFacts,
    owner: ConnectionOwner,
    context: ProxyContext,
  ) {
    this.facts = facts;
    this.#owner = owner;
    this.#context = context;
    this.#deadline = new Deadline(context.wheel, () => this.#onDeadline());
    const { socket } = accepted;
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.#onDrain());
    socket.on("close", () => this.#onClose());
    accepted.readTo((bytes, length) => this.#onBytes(bytes, length));
    this.#deadline.arm(this.#limits.headTimeMs);
  }

  // ---- what the exchange asks for

  get headMs(): number {
    return this.#phase === "head" ? this.#context.clock.now() - this.#headSince : 0;
  }

  get mayStay(): boolean {
    const { requestsPerConnection } = this.#limits;
    const isSpent = requestsPerConnection > 0 && this.#served >= requestsPerConnection;
    return !this.#owner.isStopping && !isSpent;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get needsDrain(): boolean {
    return this.#socket.writableLength > 0 && this.#socket.writableNeedDrain;
  }

  write(content: string | Buffer): void {
    if (this.#socket.destroyed) return;
    if (typeof content === "string") this.#socket.write(content, "latin1");
    else this.#socket.write(content);
    if (this.needsDrain) this.#deadline.arm(this.#limits.sendIdleMs);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  onBodyWanted(): void {
    if (this.#phase !== "body" || this.#exchange?.body?.congested === true) return;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#deadline.arm(this.#limits.bodyIdleMs);
  }

  onExchangeEnd(stay: boolean): void {
    const isWhole = this.#phase === "answer" && this.#unread === undefined;
    this.#exchange = undefined;
    // A client that was promised that it may stay may have sent its next request already.
    if (!stay) return this.#close(isWhole);
    this.#phase = "idle";
    this.#awaitRequest();
  }

  cut(): void {
    this.#exchange = undefined;
    // A unix socket knows no RST: there the answer just ends before its time.
    if (this.facts.address === "unix:") this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  // ---- what a tunnel asks for

  openTunnel(): TunnelClient {
    this.#phase = "tunnel";
    this.#deadline.disarm();
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return this;
  }

  attach(user: TunnelUser): void {
    this.#tunnelUser = user;
    const unread = this.#unread;
    this.#unread = undefined;
    this.#socket.resume();
    if (unread !== undefined) user.onClientBytes(unread);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  endWithin(ms: number): void {
    this.#phase = "closing";
    this.#deadline.arm(ms);
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- what the listener asks for

  /**
   * Nothing is accepted any more: a busy connection ends with its answer; an idle one a little later,
   * so that a request that is on its way already is still answered.
   */
  stop(): void {
    if (this.#phase !== "idle") return;
    if (this.pendingBytes > 0) this.#close(false);
    else this.#deadline.arm(this.#owner.idleMs);
  }

  /** The gateway can wait no longer: what is not answered yet is told so, what is half sent is cut. */
  abort(): void {
    this.#exchange?.answer("STOPPING");
    if (this.#phase !== "closing") this.#socket.destroy();
    else this.#deadline.arm(LAST_WORDS_MS);
  }

  /** There is no room for this client: it is told so, and goes. */
  turnAway(): void {
    this.#refuse(NO_ROOM);
  }

  // ---- what the socket tells

  #onBytes(memory: Buffer, length: number): void {
    if (this.#phase === "closing") return;
    const bytes = memory.subarray(0, length);
    if (this.#tunnelUser !== undefined) return this.#tunnelUser.onClientBytes(bytes);
    this.#unread = this.#unread === undefined ? bytes : Buffer.concat([this.#unread, bytes]);
    if (!this.#advancing) this.#advance();
    if (this.#unread?.buffer === memory.buffer) this.#unread = takeBytes(this.#unread);
  }

  #onEnd(): void {
    if (this.#tunnelUser !== undefined) return this.#tunnelUser.onClientEnd();
    if (this.#exchange === undefined && this.pendingBytes > 0) return this.#close(true);
    // As in nginx: a client that ends its side while it is owed an answer has gone.
    this.#exchange?.onClientGone();
    this.#socket.destroy();
  }

  #onDrain(): void {
    if (this.#phase === "idle") return this.#awaitRequest();
    if (this.#phase === "closing") return this.#deadline.arm(LINGER_MS);
    if (this.#phase === "answer" || this.#phase === "tunnel") this.#deadline.disarm();
    if (this.#tunnelUser !== undefined) return this.#tunnelUser.onClientDrain();
    this.#exchange?.onClientDrain();
  }

  #onClose(): void {
    this.#phase = "closed";
    this.#deadline.end();
    this.#tunnelUser?.onClientGone();
    this.#exchange?.onClientGone();
    this.#exchange = undefined;
    this.#owner.onClosed(this);
  }

  #onDeadline(): void {
    const blocked = this.#socket.writableLength > 0;
    if (this.#phase === "head" && !blocked) this.#refuse(TOO_SLOW);
    else if (this.#phase === "body" && !blocked) this.#exchange?.answer("REQUEST_TIMEOUT");
    else {
      this.#exchange?.onClientGone();
      if (blocked) this.cut();
      else this.#socket.destroy();
    }
  }

  // ---- bytes to exchanges

  get #limits(): Site["config"]["limits"] {
    return this.#owner.site.config.limits;
  }

  #awaitRequest(): void {
    // Who does not take in the answers that it has asked for is given no further ones.
    if (this.needsDrain) {
      this.#socket.pause();
      this.#deadline.arm(this.#limits.sendIdleMs);
      return;
    }
    this.#deadline.arm(this.#owner.idleMs);
    if (this.#socket.isPaused()) this.#socket.resume();
    if (!this.#advancing) this.#advance();
  }

  /** Uses what was read as far as it goes. */
  #advance(): void {
    this.#advancing = true;
    for (let goOn = true; goOn && this.#unread !== undefined;) goOn = this.#step(this.#unread);
    this.#advancing = false;
  }

  /** One step of the conversation; false: more bytes, or the end of an answer, must come first. */
  #step(unread: Buffer): boolean {
    switch (this.#phase) {
      case "idle":
        return !this.needsDrain && this.#readHead(unread);
      case "head":
        return this.#readHead(unread);
      case "body":
        return this.#readBody(unread);
      case "answer":
      case "tunnel":
        if (unread.length > PIPELINE_BYTES) this.#socket.pause();
        return false;
      case "closing":
      case "closed":
        this.#unread = undefined;
        return false;
    }
  }

  #readHead(unread: Buffer): boolean {
    const limits = this.#limits;
    const text = unread.toString("latin1", 0, limits.headBytes + 1);
    const end = findHeadEnd(text);
    if (end < 0) return this.#awaitHead(text, limits);
    const head = parseRequestHead(text.slice(0, end), limits);
    if (head.kind === undefined) return this.#refuse(head);
    this.#unread = unread.length > end ? unread.subarray(end) : undefined;
    this.#begin(head);
    return true;
  }

  #awaitHead(text: string, limits: HeadLimits): boolean {
    const problem = checkPartialHead(text, limits);
    if (problem !== undefined) return this.#refuse(problem);
    if (this.#phase === "idle") {
      this.#phase = "head";
      this.#headSince = this.#context.clock.now();
      this.#deadline.arm(this.#limits.headTimeMs);
    }
    return false;
  }

  #begin(head: RequestHead): void {
    this.#served += 1;
    const exchange = new Exchange(this.#context, this.#owner.site, this, head);
    this.#exchange = exchange;
    if (exchange.body === undefined) {
      this.#phase = "answer";
      this.#deadline.disarm();
    } else {
      this.#phase = "body";
      this.#deadline.arm(this.#limits.bodyIdleMs);
      this.#bodyReader = new BodyReader(exchange.body, head.nominated, this.#limits.bodyBytes);
      const { problem } = this.#bodyReader;
      if (problem !== undefined) return exchange.answer(problem.code, problem.detail);
      // What came with the head goes on with the head.
      if (this.#unread !== undefined) this.#readBody(this.#unread);
    }
    if (this.#exchange === exchange) exchange.begin();
  }

  #readBody(unread: Buffer): boolean {
    const exchange = this.#exchange;
    const body = exchange?.body;
    const reader = this.#bodyReader;
    if (exchange === undefined || body === undefined || reader === undefined) return false;
    const used = reader.read(unread);
    this.#unread = used < unread.length ? unread.subarray(used) : undefined;
    const { problem } = reader;
    if (problem === undefined) this.#onBodyRead(exchange, body);
    else exchange.answer(problem.code, problem.detail);
    return true;
  }

  #onBodyRead(exchange: Exchange, body: RequestBody): void {
    if (body.complete) {
      this.#phase = "answer";
      // An early answer may be waiting for its client to read.
      this.#deadline.arm(this.needsDrain ? this.#limits.sendIdleMs : 0);
    } else this.#deadline.arm(this.#limits.bodyIdleMs);
    exchange.onBodyArrived();
    // Whatever it waits for, it is not the client.
    if (this.#phase === "body" && body.congested) {
      this.#socket.pause();
      this.#deadline.disarm();
    }
  }

  // ---- the end

  /** What came is no request: say why, close. */
  #refuse(problem: HeadProblem): false {
    const requestBytes = this.#unread?.length ?? 0;
    const { text, notes } = writeRefusal(problem, this.facts, requestBytes, this.#context.clock);
    notes.beganBefore(this.headMs);
    this.write(text);
    this.#context.onExchange(notes);
    this.#close(false);
    return false;
  }

  /** `isWhole`: nothing of the client's is unread, so closing cannot destroy our last words. */
  #close(isWhole: boolean): void {
    this.#phase = "closing";
    this.#unread = undefined;
    if (isWhole) {
      this.#deadline.arm(this.#limits.sendIdleMs);
      // Nothing left to flush: Node's orderly end costs three turns of the event loop more.
      if (this.#socket.writableLength === 0) this.#socket.destroy();
      else this.#socket.destroySoon();
      return;
    }
    // Closing with bytes unread would reset the connection, and the answer with it (RFC 9112 9.6).
    this.#deadline.arm(this.pendingBytes > 0 ? this.#limits.sendIdleMs : LINGER_MS);
    this.#socket.end();
    this.#socket.resume();
  }
}

const NO_ROOM: HeadProblem = {
  status: 503,
  reason: "there is no room for more connections (limits.connections)",
};
const TOO_SLOW: HeadProblem = { status: 408, reason: "the request head did not arrive in time" };
