import type { ClosedBy } from "../events.ts";
import type { AnswerReceiver } from "./attempt.ts";
import { keepBytes } from "./read-buffer.ts";
import type { ConnectionUser, ServerConnection } from "./server-connection.ts";

/** The client's connection once it has stopped being HTTP. */
export interface TunnelClient {
  /** Bytes that came behind the request, and everything from now on, go to the user. */
  attach(user: TunnelUser): void;
  write(content: Buffer): void;
  readonly needsDrain: boolean;
  pause(): void;
  resume(): void;
  /** Sends FIN behind what was written. */
  end(): void;
  /** The same, and is gone after `ms` whether or not the client has ended its side by then. */
  endWithin(ms: number): void;
  destroy(): void;
}

export interface TunnelUser {
  /** Takes the bytes over. */
  onClientBytes(bytes: Buffer): void;
  onClientDrain(): void;
  onClientEnd(): void;
  onClientGone(): void;
}

interface TunnelSettings {
  /** Milliseconds without a byte in either direction before both sides are closed; 0 = never. */
  readonly idleMs: number;
  readonly onEnd: (closedBy: ClosedBy) => void;
}

/** Milliseconds for the last bytes to reach their side once both have ended. */
const LAST_BYTES_MS = 60_000;

/** Bytes both ways after a 101, with back-pressure and half-close, and no look at what they say. */
export class Tunnel implements ConnectionUser, TunnelUser, AnswerReceiver {
  readonly #client: TunnelClient;
  readonly #server: ServerConnection;
  readonly #settings: TunnelSettings;
  /** Bytes from the server to the client. */
  bodyBytes = 0;
  /** Bytes from the client to the server. */
  clientBytes = 0;
  #clientEnded = false;
  #serverEnded = false;
  /** Who ended its side first. */
  #closedBy: ClosedBy | undefined;
  #over = false;

  constructor(client: TunnelClient, server: ServerConnection, settings: TunnelSettings) {
    this.#client = client;
    this.#server = server;
    this.#settings = settings;
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

  /** What the server sent in one packet with its 101. */
  onBody(bytes: Buffer, from: number, to: number): void {
    this.#toClient(bytes.subarray(from, to));
  }
  onReadEnd(): void {}
  onAnswerEnd(): void {}

  onBytes(bytes: Buffer, length: number): void {
    this.#toClient(bytes.subarray(0, length));
  }

  onClientBytes(bytes: Buffer): void {
    if (this.#over) return;
    this.#touch();
    this.clientBytes += bytes.length;
    this.#server.write(bytes);
    if (this.#server.needsDrain) this.#client.pause();
  }

  onDrain(): void {
    if (this.#over) return;
    this.#touch();
    this.#client.resume();
  }

  onClientDrain(): void {
    if (this.#over) return;
    this.#touch();
    this.#server.resume();
  }

  onEnd(): void {
    this.#serverEnded = true;
    this.#closedBy ??= "server";
    this.#client.end();
    this.#closeIfBothEnded();
  }

  onClientEnd(): void {
    this.#clientEnded = true;
    this.#closedBy ??= "client";
    this.#server.end();
    this.#closeIfBothEnded();
  }

  onError(): void {
    if (!this.#over) this.#destroy("server");
  }
  onClientGone(): void {
    if (!this.#over) this.#destroy("client");
  }
  onDeadline(): void {
    this.#destroy("idle");
  }
  onConnected(): void {}

  #toClient(bytes: Buffer): void {
    if (this.#over) return;
    this.#touch();
    this.bodyBytes += bytes.length;
    this.#client.write(keepBytes(bytes));
    if (this.#client.needsDrain) this.#server.pause();
  }

  #touch(): void {
    this.#server.deadline.arm(this.#settings.idleMs);
  }

  /** Both have said their last: what is still on its way may arrive, the sockets close by themselves. */
  #closeIfBothEnded(): void {
    if (!this.#clientEnded || !this.#serverEnded || this.#over) return;
    this.#client.endWithin(LAST_BYTES_MS);
    this.#server.deadline.arm(LAST_BYTES_MS);
    this.#finish("client");
  }

  #destroy(closedBy: ClosedBy): void {
    this.#server.destroy();
    this.#client.destroy();
    this.#finish(closedBy);
  }

  #finish(closedBy: ClosedBy): void {
    if (this.#over) return;
    this.#over = true;
    this.#settings.onEnd(this.#closedBy ?? closedBy);
  }
}
