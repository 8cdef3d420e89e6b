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
    async () => {
      await using house = await House.open();
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
      expect(summary.failed).toBeLessThan(KILLS * 16);
      expect(house.eventsOf("worker-crashed").length).toBeGreaterThan(0);
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

  static async open(): Promise<House> {
    const blue = await startDemoApp("blue");
    const green = await startDemoApp("green");
    const settings = settingsOf(blue, green, {});
    return new House(blue, green, await startGatewayProgram(settings), await freePort());
  }

  constructor(blue: DemoApp, green: DemoApp, gateway: GatewayProgram, extraPort: number) {
    this.#blue = blue;
    this.#green = green;
    this.gateway = gateway;
    this.#extraPort = extraPort;
  }

  eventsOf(type: string) {
    return this.gateway.events.filter(({ event }) => event === type);
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

  async killWorker(n: number): Promise<void> {
    const { workers } = this.gateway;
    const victim = workers[n % workers.length];
    if (victim === undefined) throw new Error("no worker");
    process.kill(victim, "SIGKILL");
    await until(() => this.gateway.workers.length === 2 && !isAlive(victim), "two workers again");
    await pause(BREAKING_MS);
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
}

function settingsOf(blue: DemoApp, green: DemoApp, { listen, more, maxFails = 1 }: Change) {
  const spare = { url: green.url, max_fails: maxFails };
  const pools = { blue: { servers: [{ url: blue.url }] }, green: { servers: [spare] } };
  const other = { routes: [{ host: "other.example" }], pools: { blue: blue.url } };
  return {
    groups: { app: { pools }, ...(more && { other }) },
    config: { workers: 2, listen: listen ?? "127.0.0.1:0" },
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
      connections: 32,
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
