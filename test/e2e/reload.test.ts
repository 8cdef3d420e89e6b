import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Client, startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { type DemoApp, startDemoApp } from "../support/demo-app.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { freePort } from "../../bench/rig/ports.ts";
import { isAlive } from "../support/process-facts.ts";
import { until } from "../support/until.ts";

const PER_SECOND = 2_000;
const RELOADS = 100;
const RESTARTS = 10;
const KILLS = 20;
/** So many that few have crashed often enough to be kept waiting long. */
const WORKERS_TO_KILL = 4;
const CONNECTIONS = 32;
const WEB_SOCKETS = 50;
/** How long after the kill of a worker its connections may still be heard to break, in milliseconds. */
const BREAKING_MS = 500;

describe("under 2,000 requests a second", () => {
  test(
    "reloads and restarts lose no request, refuse no connection, close no WebSocket",
    { timeout: 300_000 },
    async () => {
      await using house = await House.open();
      await using sockets = await WebSockets.open(house.gateway.port);
      await using load = new Load(house.gateway.port);

      for (let n = 0; n < RELOADS; n++) await house.reload(n);
      const afterReloads = sockets.open;
      for (let n = 0; n < RESTARTS; n++) await house.restart();
      const afterRestarts = sockets.open;
      const summary = await load.client.stop();

      expect(summary).toMatchObject({ failed: 0, strayBytes: 0 });
      expect(summary.ok).toBeGreaterThan(5_000);
      expect([afterReloads, afterRestarts]).toEqual([WEB_SOCKETS, WEB_SOCKETS]);
      expect(house.eventsOf("reloaded").length).toBeGreaterThanOrEqual((RELOADS * 3) / 4);
      expect(house.eventsOf("reload-rejected").length).toBe(RELOADS / 4);
      expect(house.eventsOf("restarted").length).toBe(RESTARTS);
    },
  );

  test(
    "a worker that is killed costs what it had in flight, and nothing else",
    { timeout: 300_000 },
    async ({ annotate }) => {
      await using house = await House.open(WORKERS_TO_KILL);
      await using load = new Load(house.gateway.port);
      await load.settled();

      const kills: number[] = [];
      for (let n = 0; n < KILLS; n++) {
        kills.push(Date.now());
        await house.killWorker(n);
      }
      const summary = await load.client.stop();

      const late = load.failures.filter(({ at }) => !kills.some((kill) => isSoonAfter(at, kill)));
      expect(late).toEqual([]);
      expect(load.failures.filter(({ kind }) => !BROKEN.has(kind))).toEqual([]);
      expect(summary.strayBytes).toBe(0);
      for (const kill of kills) {
        const lost = load.failures.filter(({ at }) => isSoonAfter(at, kill));
        expect(lost.length).toBeLessThanOrEqual(CONNECTIONS);
      }
      // A quarter of the connections on average, all of them busy, and not spread evenly.
      expect(summary.failed).toBeLessThan((KILLS * CONNECTIONS) / 2);
      await annotate(`${summary.failed} of ${summary.issued} requests were lost by ${KILLS} kills`);
      expect(house.eventsOf("worker-crashed", "worker-crash-loop").length).toBe(KILLS);
    },
  );
});

test("the end of the supervisor ends its workers, and a new one starts at once", async () => {
  await using blue = await startDemoApp("blue");
  const groups = { app: { pools: { blue: { url: blue.url } } } };
  const port = await freePort();
  const config = { listen: `127.0.0.1:${port}`, workers: 2 };
  await using first = await startGatewayProgram({ groups, config });
  const workers = first.workers;

  first.program.signal("SIGKILL");
  await using second = await startGatewayProgram({ groups, config });
  const answer = await fetch(`http://127.0.0.1:${second.port}/version`);

  expect(answer.status).toBe(200);
  expect(workers.length).toBe(2);
  await until(() => workers.every((pid) => !isAlive(pid)), "the old workers are gone");
});

/** What a client sees of a connection whose process is gone. */
const BROKEN: ReadonlySet<string> = new Set(["reset", "closed"]);

function isSoonAfter(at: number, moment: number): boolean {
  return at >= moment && at - moment < BREAKING_MS;
}

/** Two apps and a gateway with two workers. */
class House implements AsyncDisposable {
  readonly gateway: GatewayProgram;
  readonly #blue: DemoApp;
  readonly #green: DemoApp;
  readonly #extraPort: number;

  static async open(workers = 2): Promise<House> {
    const blue = await startDemoApp("blue");
    const green = await startDemoApp("green");
    const gateway = await startGatewayProgram(settingsOf(blue, green, { workers }));
    return new House(blue, green, gateway, await freePort());
  }

  constructor(blue: DemoApp, green: DemoApp, gateway: GatewayProgram, extraPort: number) {
    this.#blue = blue;
    this.#green = green;
    this.gateway = gateway;
    this.#extraPort = extraPort;
  }

  eventsOf(...types: readonly string[]) {
    return this.gateway.eventsOf(...types);
  }

  /** By turns: a new listener, one that is wrong, a group more, another list of servers. */
  async reload(n: number): Promise<void> {
    const text = this.#textFor(n);
    const before = this.gateway.events.length;
    writeFileSync(this.gateway.configFile, text);
    await until(
      () => this.gateway.events.slice(before).some(({ event = "" }) => event.startsWith("reload")),
      `reload ${n}`,
    );
  }

  async restart(): Promise<void> {
    const before = this.eventsOf("restarted").length;
    this.gateway.program.signal("SIGUSR2");
    await until(() => this.eventsOf("restarted").length > before, "the workers are replaced");
  }

  /** Those that have lived longer have more connections: all ages have their turn. */
  async killWorker(n: number): Promise<void> {
    const { workers } = this.gateway;
    const victim = workers[n % workers.length];
    if (victim === undefined) throw new Error("no worker");
    const before = this.eventsOf("worker-started").length;
    process.kill(victim, "SIGKILL");
    await Promise.all([
      until(() => this.eventsOf("worker-started").length > before, "its successor serves"),
      pause(BREAKING_MS),
    ]);
  }

  #textFor(n: number): string {
    switch (n % 4) {
      case 0:
        return this.#text({ listen: ["127.0.0.1:0", `127.0.0.1:${this.#extraPort}`] });
      case 1:
        return "groups: { app: { pools: } }";
      case 2:
        return this.#text({ more: true });
      default:
        return this.#text({ maxFails: 2 + (n % 3) });
    }
  }

  #text(change: Change): string {
    return this.gateway.configText(settingsOf(this.#blue, this.#green, change));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
    await this.#blue[Symbol.asyncDispose]();
    await this.#green[Symbol.asyncDispose]();
  }
}

interface Change {
  readonly listen?: readonly string[];
  readonly more?: boolean;
  readonly maxFails?: number;
  readonly workers?: number;
}

function settingsOf(blue: DemoApp, green: DemoApp, change: Change) {
  const { listen, more, maxFails = 1, workers = 2 } = change;
  const spare = { url: green.url, max_fails: maxFails };
  const pools = { blue: { servers: [{ url: blue.url }] }, green: { servers: [spare] } };
  const other = { routes: [{ host: "other.example" }], pools: { blue: blue.url } };
  return {
    groups: { app: { pools }, ...(more && { other }) },
    config: { workers, listen: listen ?? "127.0.0.1:0" },
  };
}

/** The strict client, and when each failure was. */
class Load implements AsyncDisposable {
  readonly client: Client;
  readonly failures: { readonly at: number; readonly kind: string; readonly detail: string }[] = [];

  constructor(port: number) {
    this.client = startClient({
      host: "127.0.0.1",
      port,
      connections: CONNECTIONS,
      ratePerSecond: PER_SECOND,
      onResult: (result) => this.#note(result),
    });
  }

  async settled(): Promise<void> {
    await until(() => this.client.summary().ok > PER_SECOND / 4, "the load has begun");
  }

  #note(result: Result): void {
    if (!result.ok) {
      this.failures.push({ at: Date.now(), kind: result.kind, detail: result.detail });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.stop();
  }
}

class WebSockets implements AsyncDisposable {
  readonly #sockets: readonly WebSocket[];

  static async open(port: number): Promise<WebSockets> {
    const sockets = Array.from({ length: WEB_SOCKETS }, () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
      socket.on("error", () => {});
      return socket;
    });
    const opened = new WebSockets(sockets);
    await until(() => opened.open === WEB_SOCKETS, "the WebSockets are open");
    return opened;
  }

  constructor(sockets: readonly WebSocket[]) {
    this.#sockets = sockets;
  }

  get open(): number {
    return this.#sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await Promise.resolve();
  }
}
