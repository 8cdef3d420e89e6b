import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isTrueWithin } from "./waits.ts";

export interface HealthAnswer {
  readonly status?: number;
  readonly body?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

const CLOSING_MS = 2_000;

/** An app that answers probes as the test says at the moment, and everything else with 200. */
export async function startHealthApp(says: HealthAnswer | "nothing" = {}): Promise<HealthApp> {
  const server = createServer();
  const app = new HealthApp(server, says);
  await app.listen(0);
  return app;
}

export class HealthApp implements AsyncDisposable {
  says: HealthAnswer | "nothing";
  port = 0;
  /** Probes so far. */
  readonly probes: IncomingMessage[] = [];
  /** Connections so far. */
  connections = 0;
  readonly #server: Server;
  #open = 0;

  constructor(server: Server, says: HealthAnswer | "nothing") {
    this.says = says;
    this.#server = server;
    server.on("request", (request, response) => this.#answer(request, response));
    server.on("connection", (socket) => {
      this.connections += 1;
      this.#open += 1;
      socket.on("close", () => (this.#open -= 1));
    });
  }

  /** The same port again after a kill(). */
  async listen(port = this.port): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the app has no port");
    this.port = address.port;
  }

  /** Stops listening and cuts every connection, as a process that dies. */
  async kill(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Waits for the n-th probe, from 1. */
  async probed(n: number): Promise<void> {
    const has = await isTrueWithin(5_000, () => this.probes.length >= n);
    if (!has) throw new Error(`${this.probes.length} probes have come, not ${n}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeIdleConnections();
    const isQuiet = await isTrueWithin(CLOSING_MS, () => this.#open === 0);
    if (this.#server.listening) await this.kill();
    if (!isQuiet) throw new Error(`${this.#open} connections to the app were left open`);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (request.headers["user-agent"] !== "understudy-probe") {
      response.end("ok");
      return;
    }
    this.probes.push(request);
    if (this.says === "nothing") return;
    const { status = 200, body = "ok", fields = {} } = this.says;
    response.writeHead(status, fields).end(body);
  }
}
