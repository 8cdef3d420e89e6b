import type { ClosedBy } from "../events.ts";
import type { AnswerReceiver } from "./attempt.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { FrameFollower } from "./frame-follower.ts";
import { Departure, type LongLived } from "./long-lived.ts";
import { passOn } from "./pass-on.ts";
import type { ConnectionUser, ServerConnection } from "./server-connection.ts";
import type { TunnelClient, TunnelUser } from "./tunnel-client.ts";

interface TunnelSettings {
  readonly wheel: DeadlineWheel;
  /** What the connection was upgraded to; a goodbye has words in `websocket` alone. */
  readonly protocol: string;
  /** Milliseconds without a byte in either direction before both sides are closed; 0 = never. */
  readonly idleMs: number;
  /** Milliseconds from a goodbye to the end of the connection, and from there to its last trace. */
  readonly graceMs: number;
  /** No byte is passed on any more. */
  readonly onEnd: (closedBy: ClosedBy) => void;
  /** The connection to the server is gone, too. */
  readonly onClosed: () => void;
}

/** A close frame with status 1012, Service Restart: the client may come back at once. */
const GOODBYE = Buffer.from([0x88, 0x02, 0x03, 0xf4]);
/** Milliseconds without a byte that the end of a frame is waited for, or that a client is to read. */
const FRAME_MS = 30_000;
/** Milliseconds for the last bytes to reach their side once both have ended. */
const LAST_BYTES_MS = 60_000;

/**
 * Bytes pass in both directions while `open`, and while `parting` until the server's frame ends;
 * `parted` waits for the client's answer to the goodbye, which goes to the server; `over` leaves
 * both sockets to close.
 */
type State = "open" | "parting" | "parted" | "over";

/** Bytes both ways after a 101, with back-pressure and half-close, and a goodbye where one is due. */
export class Tunnel implements ConnectionUser, TunnelUser, AnswerReceiver, LongLived {
  readonly kind = "tunnel";
  place = -1;
  readonly #client: TunnelClient;
  readonly #server: ServerConnection;
  readonly #settings: TunnelSettings;
  /** What the server says, and what the client says, where that has frames. */
  readonly #frames: FrameFollower | undefined;
  readonly #clientFrames: FrameFollower | undefined;
  /** Bytes from the server to the client. */
  bodyBytes = 0;
  /** Bytes from the client to the server. */
  clientBytes = 0;
  #clientEnded = false;
  #serverEnded = false;
  #state: State = "open";
  /** Who said first that this is the end. */
  #closedBy: ClosedBy | undefined;
  #departure: Departure | undefined;
  /** Bytes that waited for a slow client at the last look. */
  #untaken = Infinity;

  constructor(client: TunnelClient, server: ServerConnection, settings: TunnelSettings) {
    this.#client = client;
    this.#server = server;
    this.#settings = settings;
    if (settings.protocol !== "websocket") return;
    this.#frames = new FrameFollower();
    this.#clientFrames = new FrameFollower();
  }

  get sentBytes(): number {
    return this.bodyBytes;
  }

  start(): void {
    this.#server.user = this;
    this.#server.keepAlive();
    this.#touch();
    this.#client.attach(this);
  }

  // ---- what an operator's orders and the server's health bring

  leave(by: ClosedBy, afterMs: number): void {
    this.#departure ??= new Departure(this.#settings.wheel, (who) => this.#part(who));
    this.#departure.plan(by, afterMs);
  }

  stay(): void {
    this.#departure?.cancel();
  }

  breakOff(): void {
    if (this.#state === "over") return;
    const isBetween = this.#frames?.isBetween === true;
    if (this.#state !== "parted" && !isBetween) return this.#destroy("failed");
    if (this.#state !== "parted") this.#writeGoodbye();
    this.#client.endWithin(this.#graceMs);
    this.#dropServer();
    this.#finish("failed");
  }

  destroy(): void {
    this.#destroy("stop");
  }

  // ---- what the server's side tells

  /** What the server sent in one packet with its 101. */
  onBody(bytes: Buffer, from: number, to: number): void {
    this.#onServerBytes(bytes, from, to);
  }
  onReadEnd(): void {}
  onAnswerEnd(): void {}

  onBytes(bytes: Buffer, length: number): void {
    this.#onServerBytes(bytes, 0, length);
  }

  onDrain(): void {
    if (this.#state === "over") return;
    if (this.#state === "open") this.#touch();
    this.#client.resume();
  }

  onEnd(): void {
    if (this.#state === "over") return;
    if (this.#state === "parted") return this.#end();
    this.#serverEnded = true;
    this.#closedBy ??= "server";
    this.#client.end();
    this.#closeIfBothEnded();
  }

  onError(): void {
    if (this.#state !== "parted" && this.#state !== "over") return this.#destroy("server");
    this.#settings.onClosed();
    if (this.#state === "over") return;
    this.#client.endWithin(this.#graceMs);
    this.#finish("server");
  }

  onDeadline(): void {
    switch (this.#state) {
      case "open":
        return this.#destroy("idle");
      case "parting":
        return this.#destroy("drain");
      case "parted":
        return this.#isTakingIn() ? this.#server.deadline.arm(FRAME_MS) : this.#end();
      case "over":
        return this.#dropServer();
    }
  }
  onConnected(): void {}

  // ---- what the client's side tells

  onClientBytes(bytes: Buffer): void {
    if (this.#state === "over") return;
    if (this.#state === "open") this.#touch();
    this.clientBytes += bytes.length;
    this.#clientFrames?.follow(bytes, 0, bytes.length);
    if (this.#clientFrames?.hasClosed === true) this.#closedBy ??= "client";
    passOn(bytes, this.#server);
    if (this.#server.needsDrain) this.#client.pause();
  }

  onClientDrain(): void {
    if (this.#state === "over") return;
    this.#touch();
    this.#server.resume();
  }

  onClientEnd(): void {
    if (this.#state === "over") return;
    if (this.#state === "parted") return this.#end();
    this.#clientEnded = true;
    this.#closedBy ??= "client";
    this.#server.end();
    this.#closeIfBothEnded();
  }

  onClientGone(): void {
    if (this.#state !== "over") this.#destroy("client");
    // What the server has not taken in yet may still reach it.
    else if (this.#server.pendingBytes === 0) this.#dropServer();
  }

  // ---- the relay

  #onServerBytes(bytes: Buffer, from: number, to: number): void {
    if (this.#state === "parted" || this.#state === "over") return;
    this.#touch();
    if (this.#state === "parting") return this.#finishFrame(bytes, from, to);
    this.#frames?.follow(bytes, from, to);
    if (this.#frames?.hasClosed === true) this.#closedBy ??= "server";
    this.#toClient(bytes, from, to);
  }

  #toClient(bytes: Buffer, from: number, to: number): void {
    this.bodyBytes += to - from;
    passOn(bytes.subarray(from, to), this.#client);
    if (this.#client.needsDrain) this.#server.pause();
  }

  #touch(): void {
    if (this.#state === "open") this.#server.deadline.arm(this.#settings.idleMs);
    if (this.#state === "parting") this.#server.deadline.arm(FRAME_MS);
    if (this.#state === "parted") this.#awaitAnswer();
  }

  // ---- the goodbye

  #part(by: ClosedBy): void {
    if (this.#state !== "open") return;
    this.#closedBy ??= by;
    this.#state = "parting";
    this.#touch();
    if (this.#frames === undefined) this.#end();
    else if (this.#frames.isBetween) this.#sayGoodbye();
  }

  #finishFrame(bytes: Buffer, from: number, to: number): void {
    const end = this.#frames?.followFrame(bytes, from, to) ?? -1;
    this.#toClient(bytes, from, end < 0 ? to : end);
    if (end >= 0) this.#sayGoodbye();
  }

  #sayGoodbye(): void {
    this.#state = "parted";
    this.#writeGoodbye();
    // What it still says is dropped, but its end must be heard.
    this.#server.resume();
    if (this.#clientEnded || this.#serverEnded) this.#end();
    else this.#awaitAnswer();
  }

  /** Nothing may stand behind a close frame of the server's own, or behind its FIN. */
  #writeGoodbye(): void {
    if (this.#frames?.hasClosed === false && !this.#serverEnded) this.#client.write(GOODBYE);
  }

  /** The client is slow: it has not taken in all that stands before the goodbye, but goes on. */
  #isTakingIn(): boolean {
    const before = this.#untaken;
    this.#untaken = this.#client.pendingBytes;
    return this.#untaken > 0 && this.#untaken < before;
  }

  #awaitAnswer(): void {
    this.#server.deadline.arm(this.#graceMs);
  }

  /** A deadline of 0 would be none. */
  get #graceMs(): number {
    return Math.max(1, this.#settings.graceMs);
  }

  // ---- the end

  /** Our last word to both sides; each has a moment for its own. */
  #end(): void {
    this.#client.endWithin(this.#graceMs);
    this.#server.end();
    this.#server.deadline.arm(this.#graceMs);
    this.#finish("drain");
  }

  /** Both have said their last: what is still on its way may arrive, the sockets close by themselves. */
  #closeIfBothEnded(): void {
    if (!this.#clientEnded || !this.#serverEnded) return;
    this.#client.endWithin(LAST_BYTES_MS);
    this.#server.deadline.arm(LAST_BYTES_MS);
    this.#finish("client");
  }

  #destroy(closedBy: ClosedBy): void {
    this.#dropServer();
    this.#client.destroy();
    this.#finish(closedBy);
  }

  #dropServer(): void {
    this.#server.destroy();
    this.#settings.onClosed();
  }

  #finish(closedBy: ClosedBy): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#departure?.cancel();
    this.#settings.onEnd(this.#closedBy ?? closedBy);
  }
}
