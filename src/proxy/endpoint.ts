import type { Seat } from "../failover/choose.ts";
import type { ServerSpec } from "../failover/spec.ts";
import { LongLivedRoll } from "./long-lived.ts";
import { type Enrolled, Roll } from "./roll.ts";
import type { ConnectionUser, ServerConnection } from "./server-connection.ts";

/** Milliseconds that a server is trusted to keep an idle connection when it announced nothing. */
const UNANNOUNCED_IDLE_MS = 4_000;
/** A server closes at the announced time, so the last use must begin well before. */
const ANNOUNCED_MARGIN_MS = 1_000;
/** Milliseconds for which a server that has closed an idle connection is taken to do so again. */
const WARY_MS = 60_000;

export interface IdleLimits {
  readonly maxIdle: number;
  readonly idleMs: number;
}

/** An attempt that has no byte of an answer yet. */
export interface Waiting extends Enrolled {
  /** The server went down: move on if that is safe, else go on waiting. */
  rescue(): void;
}

/**
 * One server as the data path sees it: its idle connections, who waits on it, who stays. It outlives
 * a reload that keeps its server, and one that does not for as long as somebody is still there.
 */
export class Endpoint {
  readonly key: string;
  /** As configured, and taken apart once. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket; undefined for TCP. */
  readonly path: string | undefined;
  readonly waiting = new Roll<Waiting>();
  readonly longLived = new LongLivedRoll();
  /** What runs there, as its last answer told. */
  release: string | undefined;
  readonly seat: Seat = { inFlight: 0, current: 0 };
  #limits: IdleLimits;
  /** Newest last. */
  #idle: ServerConnection[] = [];
  #retired = false;
  /** Connections that the server has broken so far. */
  #breaks = 0;
  /** The server has closed an idle connection since the last request asked for one. */
  #hasClosedIdle = false;
  #waryUntil = Number.NEGATIVE_INFINITY;

  constructor({ key, address }: ServerSpec, limits: IdleLimits) {
    this.key = key;
    this.address = address;
    this.#limits = limits;
    const { host, port, path } = splitAddress(address);
    this.host = host;
    this.port = port;
    this.path = path;
  }

  /**
   * The idle connection that was used last, or undefined. A request that cannot be sent twice rides
   * one only while the server is bound to keep it open (RFC 9110 9.2.2, RFC 9112 9.3.1), and none
   * last used before another one broke: where a process dies its connections end one by one. Nor
   * any while the server is known to close them early: that may cross with the request at any time.
   */
  takeIdle(now: number, repeatable: boolean): ServerConnection | undefined {
    if (this.#hasClosedIdle) this.#waryUntil = now + WARY_MS;
    this.#hasClosedIdle = false;
    const connection = this.#idle.at(-1);
    if (connection === undefined) return undefined;
    if (!repeatable && !this.#isSafe(connection, now)) return undefined;
    this.#idle.pop();
    connection.deadline.disarm();
    return connection;
  }

  /** Takes back a connection whose last answer is complete. */
  giveBack(connection: ServerConnection, now: number): void {
    const idleMs = this.#idleMs(connection);
    if (this.#retired || this.#limits.maxIdle === 0 || idleMs === 0) return connection.destroy();
    connection.idleSince = now;
    connection.user = new IdleUser(this, connection);
    connection.deadline.arm(idleMs);
    this.#idle.push(connection);
    this.#closeSurplus();
  }

  /** The configuration has it, with these limits, which hold for what is idle already, too. */
  serve(limits: IdleLimits, now: number): void {
    this.#retired = false;
    this.#limits = limits;
    for (const connection of this.#idle) {
      const leftMs = this.#idleMs(connection) - (now - connection.idleSince);
      connection.deadline.arm(Math.max(1, leftMs));
    }
    this.#closeSurplus();
  }

  /** Nobody is there any more. */
  get isDeserted(): boolean {
    return this.seat.inFlight === 0 && this.longLived.size === 0;
  }

  /** A connection is about to carry a request. */
  noteUse(connection: ServerConnection): void {
    connection.usedAfterBreak = this.#breaks;
  }

  /** The server has broken a connection. */
  noteBreak(): void {
    this.#breaks += 1;
  }

  /** The server has closed a connection that it was meant to keep. */
  noteIdleClose(): void {
    this.#hasClosedIdle = true;
    this.noteBreak();
  }

  /** An idle connection has ended, or said something nobody asked for. */
  drop(connection: ServerConnection): void {
    this.#idle = this.#idle.filter((other) => other !== connection);
    connection.destroy();
  }

  /** Closes idle connections to addresses that the server's name no longer has. */
  keepOnly(addresses: readonly string[]): void {
    const gone = this.#idle.filter((connection) => !addresses.includes(connection.addr));
    for (const connection of gone) this.drop(connection);
  }

  closeIdle(): void {
    for (const connection of this.#idle) connection.destroy();
    this.#idle = [];
  }

  /** The configuration has let go of it: nothing is kept from now on. */
  retire(): void {
    this.#retired = true;
    this.closeIdle();
  }

  #closeSurplus(): void {
    while (this.#idle.length > this.#limits.maxIdle) this.#idle.shift()?.destroy();
  }

  /** Milliseconds for which it is kept from its last use on. */
  #idleMs(connection: ServerConnection): number {
    return Math.min(this.#limits.idleMs, keptMs(connection));
  }

  #isSafe(connection: ServerConnection, now: number): boolean {
    if (now < this.#waryUntil) return false;
    if (connection.usedAfterBreak !== this.#breaks) return false;
    const announced = connection.announcedIdleMs;
    const safeMs = announced === undefined ? UNANNOUNCED_IDLE_MS : announced - ANNOUNCED_MARGIN_MS;
    return now - connection.idleSince <= safeMs;
  }
}

/** Nobody's turn: whatever happens on an idle connection is its end (CVE-2026-48931). */
class IdleUser implements ConnectionUser {
  readonly #endpoint: Endpoint;
  readonly #connection: ServerConnection;

  constructor(endpoint: Endpoint, connection: ServerConnection) {
    this.#endpoint = endpoint;
    this.#connection = connection;
  }

  #drop(): void {
    this.#endpoint.drop(this.#connection);
  }
  onConnected(): void {}
  onDrain(): void {}
  onBytes(): void {
    this.#drop();
  }
  onEnd(): void {
    this.#endpoint.noteIdleClose();
    this.#drop();
  }
  onError(): void {
    this.#endpoint.noteIdleClose();
    this.#drop();
  }
  onDeadline(): void {
    this.#drop();
  }
}

/** It is let go before its server closes it; where hardly a second was announced, half-way. */
function keptMs({ announcedIdleMs = Infinity }: ServerConnection): number {
  return Math.max(announcedIdleMs - ANNOUNCED_MARGIN_MS, announcedIdleMs / 2);
}

function splitAddress(address: string): { host: string; port: number; path: string | undefined } {
  if (address.startsWith("unix:")) return { host: "", port: 0, path: address.slice(5) };
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host, port: Number(address.slice(colon + 1)), path: undefined };
}
