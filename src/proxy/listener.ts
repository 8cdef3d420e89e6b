import { createServer, type Server } from "node:net";
import { type AcceptedSocket, acceptFrom } from "./accepted-socket.ts";
import { ClientConnection, type ConnectionOwner } from "./client-connection.ts";
import type { ProxyContext } from "./context.ts";
import { Roll } from "./roll.ts";
import type { Site } from "./site.ts";

/** Connections that the kernel keeps for us while we are busy (bounded by its own somaxconn). */
const BACKLOG = 4096;

export interface ListenerSettings {
  readonly context: ProxyContext;
  /** The configuration in service at the moment. */
  readonly site: () => Site;
  /** accept() failed (no file descriptor left, ...). The listener goes on. */
  readonly onError: (error: Error) => void;
}

/** Accepts clients at one address, from whichever of its sockets it is given, and lets them go. */
export class Listener implements ConnectionOwner {
  readonly #settings: ListenerSettings;
  readonly #open = new Roll<ClientConnection>();
  readonly #servers = new Set<Server>();
  readonly #waiting: (() => void)[] = [];
  /** Milliseconds that an idle connection is left open once nothing is accepted any more. */
  #graceMs: number | undefined;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  get site(): Site {
    return this.#settings.site();
  }

  get connections(): number {
    return this.#open.size;
  }

  get isStopping(): boolean {
    return this.#graceMs !== undefined;
  }

  get idleMs(): number {
    return this.#graceMs ?? this.site.config.limits.idleMs;
  }

  /**
   * Accepts from a bound socket (`handle`: Node's own) until the function is called that it resolves
   * with; the connections stay. Rejects with Node's error where it cannot listen.
   */
  accept(handle: object): Promise<() => void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", () => {
        server.off("error", reject);
        server.on("error", this.#settings.onError);
        const port = portOf(server);
        acceptFrom(server, (accepted) => this.#onConnection(accepted, port));
        this.#servers.add(server);
        resolve(() => this.#close(server));
      });
      listen(server, handle);
    });
  }

  /** Accepts nothing more: busy connections go with their answer, idle ones after `graceMs`. */
  stop(graceMs: number): void {
    if (this.isStopping) return;
    this.#graceMs = graceMs;
    for (const server of this.#servers) this.#close(server);
    for (const connection of this.#open.list()) connection.stop();
  }

  /** Resolves when the last connection is closed. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#noteEnd();
    });
  }

  /** Breaks what is left. */
  destroy(): void {
    for (const connection of this.#open.list()) connection.abort();
  }

  onClosed(connection: ClientConnection): void {
    this.#open.delete(connection);
    this.#noteEnd();
  }

  #close(server: Server): void {
    if (this.#servers.delete(server)) server.close();
  }

  #noteEnd(): void {
    if (this.#open.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #onConnection(accepted: AcceptedSocket, localPort: number): void {
    const { socket } = accepted;
    const limit = this.site.config.limits.connections;
    // Those that are turned away stay a moment to be told; even they are bounded.
    if (limit > 0 && this.#open.size >= 2 * limit) {
      socket.destroy();
      return;
    }
    const isFull = limit > 0 && this.#open.size >= limit;
    const address = plainAddress(socket.remoteAddress);
    const facts = {
      address,
      port: socket.remotePort ?? 0,
      localPort,
      scheme: "http",
      trusted: address !== "unix:" && this.site.isTrusted(address),
    } as const;
    const connection = new ClientConnection(accepted, facts, this, this.#settings.context);
    this.#open.add(connection);
    if (isFull) connection.turnAway();
  }
}

function listen(server: Server, handle: object): void {
  // Node's `listen(handle)` takes a unix socket for a file descriptor and would open it twice; this
  // is what it does with any other, and what its cluster module does with both.
  Reflect.set(server, "_handle", handle);
  Reflect.get(server, "_listen2").call(server, null, -1, -1, BACKLOG);
}

function portOf(server: Server): number {
  const bound = server.address();
  return bound === null || typeof bound === "string" ? 0 : bound.port;
}

/** An IPv4 client of a dual-stack socket is an IPv4 client. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unix:";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
