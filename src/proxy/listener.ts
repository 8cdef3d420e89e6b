import { createServer, type Server } from "node:net";
import type { Address } from "../config/config.ts";
import { type AcceptedSocket, acceptFrom } from "./accepted-socket.ts";
import { ClientConnection, type ConnectionOwner } from "./client-connection.ts";
import type { ProxyContext } from "./context.ts";
import { Roll } from "./roll.ts";
import { removeStaleSocket } from "./stale-socket.ts";
import type { Site } from "./site.ts";

/** Connections that the kernel keeps for us while we are busy (bounded by its own somaxconn). */
const BACKLOG = 4096;

export interface Listener {
  /** `127.0.0.1:8080` with the port really bound, `unix:/run/understudy.sock`. */
  readonly address: string;
  readonly connections: number;
  /** Accepts nothing more; idle clients go at once, the others after their answer. */
  stop(): void;
  /** Resolves when the last connection is closed. */
  readonly drained: Promise<void>;
  /** Breaks what is left. */
  destroy(): void;
}

export interface ListenerSettings {
  readonly context: ProxyContext;
  /** The configuration in service at the moment. */
  readonly site: () => Site;
  /** accept() failed (no file descriptor left, ...). The listener goes on. */
  readonly onError: (error: Error) => void;
}

/** Rejects with Node's error where the address cannot be bound. */
export async function startListener(
  address: Address,
  settings: ListenerSettings,
): Promise<Listener> {
  if (address.kind === "unix") await removeStaleSocket(address.path);
  const listening = new ListeningSocket(settings);
  await listening.listen(address);
  return listening;
}

class ListeningSocket implements Listener, ConnectionOwner {
  readonly #settings: ListenerSettings;
  readonly #server: Server;
  readonly #open = new Roll<ClientConnection>();
  readonly drained: Promise<void>;
  #markDrained: () => void = () => {};
  #isClosed = false;
  isStopping = false;
  address = "";
  #port = 0;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
    this.drained = new Promise((resolve) => {
      this.#markDrained = resolve;
    });
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    });
  }

  get site(): Site {
    return this.#settings.site();
  }

  get connections(): number {
    return this.#open.size;
  }

  listen(address: Address): Promise<void> {
    const where =
      address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ ...where, backlog: BACKLOG }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", this.#settings.onError);
        acceptFrom(this.#server, (accepted) => this.#onConnection(accepted));
        this.#noteAddress(address);
        resolve();
      });
    });
  }

  stop(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.#server.close(() => {
      this.#isClosed = true;
      this.#noteEnd();
    });
    for (const connection of this.#open.list()) connection.stop();
  }

  destroy(): void {
    for (const connection of this.#open.list()) connection.abort();
  }

  onClosed(connection: ClientConnection): void {
    this.#open.delete(connection);
    this.#noteEnd();
  }

  /** Node tells of a closed server before the last of its sockets has told us that it is closed. */
  #noteEnd(): void {
    if (this.#isClosed && this.#open.size === 0) this.#markDrained();
  }

  #noteAddress(address: Address): void {
    const bound = this.#server.address();
    if (address.kind === "unix" || bound === null || typeof bound === "string") {
      this.address = address.kind === "unix" ? `unix:${address.path}` : "";
      return;
    }
    this.#port = bound.port;
    const host = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
    this.address = `${host}:${bound.port}`;
  }

  #onConnection(accepted: AcceptedSocket): void {
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
      localPort: this.#port,
      scheme: "http",
      trusted: address !== "unix:" && this.site.isTrusted(address),
    } as const;
    const connection = new ClientConnection(accepted, facts, this, this.#settings.context);
    this.#open.add(connection);
    if (isFull) connection.turnAway();
  }
}

/** An IPv4 client of a dual-stack socket is an IPv4 client. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "unix:";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
