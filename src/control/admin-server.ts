import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../clock.ts";
import type { Address } from "../config/config.ts";
import { Metrics } from "../observe/metrics.ts";
import { removeStaleSocket } from "../process/stale-socket.ts";
import { problem } from "./admin-answer.ts";
import { createAdminApp, toResponse } from "./admin-app.ts";
import type { Route } from "./admin-route.ts";
import { adminRoutes } from "./admin-routes.ts";
import type { Control } from "./control.ts";
import { EventStreams } from "./event-streams.ts";
import { metricFacts } from "./metric-facts.ts";

/** The operators' door: what a gateway is doing, and orders to it, over HTTP. */
export interface AdminServer {
  /** `127.0.0.1:9900` with the port really bound, `unix:/run/understudy-admin.sock`. */
  readonly address: string;
  /** Accepts nothing more; answers under way get a moment, event streams end at once. */
  stop(): Promise<void>;
}

export interface AdminServerOptions {
  readonly clock: Clock;
  /** The gateway's own. */
  readonly version: string;
  /** Of the token that requests need at the moment: SHA-256 in hexadecimal digits; undefined = none. */
  readonly tokenHash: () => string | undefined;
  /** A request met a bug and got 500, or accept() failed. The server goes on. */
  readonly onError: (error: Error) => void;
}

/** What clients may cost. */
const LIMITS = {
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
} as const;
const MOST_CONNECTIONS = 256;
/** What answers under way at a stop get to end. */
const STOPPING_MS = 500;

/** Rejects with Node's error where the address cannot be bound. */
export async function startAdminServer(
  address: Address,
  control: Control,
  options: AdminServerOptions,
): Promise<AdminServer> {
  const { clock, version, tokenHash, onError } = options;
  const streams = new EventStreams(clock, control.history);
  const metrics = new Metrics(version, () => metricFacts(control, clock.now()));
  const moment = () => ({ now: clock.now(), wall: clock.wall() });
  const routes = adminRoutes({ control, version, metrics, streams, moment });
  const door = new Door({ address, routes, clock, tokenHash, onError });
  await door.listen();
  const unsubscribe = control.subscribe((event) => {
    metrics.count(event);
    streams.send(event);
  });
  const stop = async (): Promise<void> => {
    unsubscribe();
    streams.stop();
    await door.stop();
  };
  let stopping: Promise<void> | undefined;
  return { address: door.bound, stop: () => (stopping ??= stop()) };
}

interface DoorSettings extends Pick<AdminServerOptions, "clock" | "tokenHash" | "onError"> {
  readonly address: Address;
  readonly routes: readonly Route[];
}

class Door {
  readonly #settings: DoorSettings;
  readonly #server: Server;
  bound = "";

  constructor(settings: DoorSettings) {
    this.#settings = settings;
    this.#server = createServer({ ...LIMITS, keepAlive: true, noDelay: true });
    this.#server.maxConnections = MOST_CONNECTIONS;
    const answer = this.#createListener();
    this.#server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      // Its socket's end is all that an error of either means, and that is told by `close`.
      request.on("error", () => {});
      response.on("error", () => {});
      void answer(request, response);
    });
  }

  async listen(): Promise<void> {
    const { address, onError } = this.#settings;
    if (address.kind === "unix") await removeStaleSocket(address.path);
    const { kind: _, ...where } = address;
    this.#server.listen(where);
    await once(this.#server, "listening");
    this.#server.on("error", onError);
    // Whoever may write to a socket may give orders: its owner and group.
    if (address.kind === "unix") await this.#permit(address.path);
    this.bound = boundAddress(this.#server, address);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    const cancel = this.#settings.clock.after(STOPPING_MS, () =>
      this.#server.closeAllConnections(),
    );
    await closed;
    cancel();
  }

  async #permit(path: string): Promise<void> {
    try {
      await chmod(path, 0o660);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #createListener() {
    const isStopping = () => !this.#server.listening;
    const app = createAdminApp({ ...this.#settings, isStopping });
    return getRequestListener(app.fetch, {
      hostname: "localhost",
      // A body that nobody read is read to its end by Node.
      autoCleanupIncoming: false,
      overrideGlobalObjects: false,
      errorHandler: () =>
        toResponse(problem("BAD_REQUEST", "the request's target or Host is no URL")),
    });
  }
}

function boundAddress(server: Server, address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const bound = server.address();
  if (bound === null || typeof bound === "string") return "";
  const host = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return `${host}:${bound.port}`;
}
