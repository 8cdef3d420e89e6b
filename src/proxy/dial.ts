import type { Cause, Phase } from "../failover/attempt.ts";
import type { ProxyContext } from "./context.ts";
import { Deadline } from "./deadline-wheel.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Resolved } from "./resolver.ts";
import { type ConnectionUser, ServerConnection } from "./server-connection.ts";
import { causeOf, errorCode } from "./socket-error.ts";

export interface DialResult {
  onDialled(connection: ServerConnection): void;
  onDialFailed(failure: DialFailure): void;
}

export interface DialFailure {
  readonly phase: Phase;
  readonly cause: Cause;
  /** The address tried last; the server's configured one where none was known. */
  readonly addr: string;
  /** `ECONNREFUSED` and the like, for the log. */
  readonly code: string;
}

/**
 * One way to a connection: look the name up, try its addresses one after the other, look it up once
 * more past the cache if all refused or were silent (a container that came back has a new address),
 * try those.
 */
export class Dial implements ConnectionUser {
  readonly #endpoint: Endpoint;
  readonly #context: ProxyContext;
  readonly #result: DialResult;
  readonly #connectMs: number;
  readonly #deadline: Deadline;
  #connection: ServerConnection | undefined;
  #left: readonly string[] = [];
  #tried: readonly string[] = [];
  #lookedUpFresh = false;
  #over = false;

  constructor(endpoint: Endpoint, context: ProxyContext, connectMs: number, result: DialResult) {
    this.#endpoint = endpoint;
    this.#context = context;
    this.#result = result;
    this.#connectMs = connectMs;
    this.#deadline = new Deadline(context.wheel, () => this.onDeadline());
    this.#deadline.arm(connectMs);
  }

  start(): void {
    if (this.#endpoint.path === undefined) this.#resolve(false);
    else this.#connect({ path: this.#endpoint.path }, this.#endpoint.address);
  }

  /** Ends it without a word. */
  cancel(): void {
    this.#over = true;
    this.#deadline.end();
    this.#connection?.destroy();
  }

  onConnected(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#over = true;
    this.#deadline.end();
    this.#result.onDialled(connection);
  }

  onError(error: Error): void {
    const addr = this.#connection?.addr ?? this.#endpoint.address;
    this.#connection = undefined;
    const cause = causeOf(error);
    const isLast = this.#left.length === 0 && (this.#lookedUpFresh || !this.#canResolveAgain());
    if (isLast || cause === "local") {
      return this.#fail({ phase: "connect", cause, addr, code: errorCode(error) });
    }
    if (this.#left.length > 0) this.#next();
    else this.#resolve(true, { phase: "connect", cause, addr, code: errorCode(error) });
  }

  onDeadline(): void {
    const addr = this.#connection?.addr ?? this.#endpoint.address;
    const phase = this.#connection === undefined ? "resolve" : "connect";
    const failure: DialFailure = { phase, cause: "timeout", addr, code: "ETIMEDOUT" };
    this.#connection?.destroy();
    this.#connection = undefined;
    if (phase === "resolve" || this.#lookedUpFresh || !this.#canResolveAgain()) {
      return this.#fail(failure);
    }
    // The time is up for all the addresses known so far; one that is new has its own.
    this.#tried = [...this.#tried, ...this.#left];
    this.#deadline.arm(this.#connectMs);
    this.#resolve(true, failure);
  }

  // Nothing can be read or drained before a connection stands.
  onBytes(): void {}
  onDrain(): void {}
  onEnd(): void {}

  #canResolveAgain(): boolean {
    const { path, host } = this.#endpoint;
    return path === undefined && !this.#tried.includes(host);
  }

  #resolve(fresh: boolean, failed?: DialFailure): void {
    this.#lookedUpFresh = fresh;
    this.#context.resolver.resolve(this.#endpoint.host, fresh, (resolved) => {
      if (!this.#over) this.#resolved(resolved, failed);
    });
  }

  #resolved(resolved: Resolved, failed: DialFailure | undefined): void {
    const { address } = this.#endpoint;
    if (!resolved.ok) {
      const code = errorCode(resolved.error);
      return this.#fail(
        failed ?? { phase: "resolve", cause: causeOf(resolved.error), addr: address, code },
      );
    }
    this.#endpoint.keepOnly(resolved.addresses.map((ip) => joinAddress(ip, this.#endpoint.port)));
    this.#left = resolved.addresses.filter((ip) => !this.#tried.includes(ip));
    if (this.#left.length === 0 && failed !== undefined) this.#fail(failed);
    else this.#next();
  }

  #next(): void {
    const [host = "", ...left] = this.#left;
    this.#left = left;
    this.#tried = [...this.#tried, host];
    const port = this.#endpoint.port;
    this.#connect({ host, port }, joinAddress(host, port));
  }

  #connect(target: { host: string; port: number } | { path: string }, addr: string): void {
    this.#connection = new ServerConnection(target, addr, this, this.#context.wheel);
  }

  #fail(failure: DialFailure): void {
    this.#over = true;
    this.#deadline.end();
    this.#result.onDialFailed(failure);
  }
}

function joinAddress(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
