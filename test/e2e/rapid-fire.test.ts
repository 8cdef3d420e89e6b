import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { mayMount, mountSmallDisk, unmount } from "../support/mounts.ts";
import { isAlive, openSockets } from "../support/process-facts.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { connectSocket, messages, startSocketServer } from "../support/sockets.ts";
import { until } from "../support/until.ts";

const CLOSE = { openAtEnd: "close" } as const;

describe.concurrent("a reload", () => {
  test("during others ends with what was written last", async () => {
    await using house = await House.open();
    const { gateway } = house;

    const commands: Promise<unknown>[] = [];
    for (let n = 1; n <= 40; n++) {
      house.write({ to: n % 2 === 0 ? "blue" : "green", maxFails: n });
      gateway.program.signal("SIGHUP");
      if (n % 20 === 0) commands.push(gateway.command("reload"));
      await pause(n % 5);
    }
    const told = await Promise.all(commands);

    expect(told).toEqual(Array(2).fill(expect.objectContaining({ exit: 0, stderr: "" })));
    await house.serves("blue");
    await house.isWell();
  });

  test("during a restart, and a restart during a reload, both come to an end", async () => {
    await using house = await House.open();
    const { gateway } = house;
    const before = gateway.workers;

    const restarts = [gateway.command("restart")];
    house.write({ to: "green" });
    restarts.push(gateway.command("restart"));
    const reload = await gateway.command("reload");
    gateway.program.signal("SIGHUP");
    const restarted = await Promise.all(restarts);

    expect([...restarted, reload].map(({ exit }) => exit)).toEqual([0, 0, 0]);
    await house.serves("green");
    await until(() => !before.some(isAlive), "the old workers are gone");
    await house.isWell();
  });

  test("while a killed worker is replaced reaches all workers", async () => {
    await using house = await House.open();
    const { gateway } = house;

    for (const [round, to] of (["green", "blue", "green"] as const).entries()) {
      const [victim = 0] = gateway.workers;
      house.write({ to, maxFails: round + 2 });
      process.kill(victim, "SIGKILL");
      gateway.program.signal("SIGHUP");
      await gateway.happened("reloaded", round + 1);
      await gateway.happened("worker-started", round + 1);
      await house.serves(to);
    }

    await house.isWell();
  });

  test("while a worker hangs waits until that one is replaced", async () => {
    await using house = await House.open();
    const { gateway } = house;
    const [victim = 0] = gateway.workers;

    process.kill(victim, "SIGSTOP");
    house.write({ to: "green" });
    await gateway.happened("reloaded");
    await gateway.happened("worker-started");

    await house.serves("green");
    await house.isWell();
  });

  test("while workers drain leaves these, and what they serve, alone", async () => {
    await using house = await House.open();
    const { gateway } = house;
    await using client = await connectSocket({ port: gateway.port }, { path: "/ws" });
    const before = gateway.workers;

    await gateway.command("restart");
    house.write({ to: "green" });
    await gateway.happened("reloaded");
    client.socket.send("still there?");
    const [echo] = await messages(client.socket, 1);
    const draining = gateway.workers.filter((pid) => before.includes(pid));

    expect(String(echo)).toBe("still there?");
    expect(draining.length).toBe(1);
    await house.serves("green");
    client.socket.close();
    await until(() => !before.some(isAlive), "the drained worker has ended");
    await house.isWell();
  });

  test("that cannot have its address changes nothing and leaves no socket open", async () => {
    await using house = await House.open();
    await using taken = await startScriptedServer([OK], CLOSE);
    const { gateway } = house;
    const before = openSockets(gateway.program.pid);

    house.write({ to: "green", listen: ["127.0.0.1:0", `127.0.0.1:${taken.port}`], workers: 3 });
    const { reason } = await gateway.happened("reload-rejected");

    expect(reason).toBe(
      `cannot listen on 127.0.0.1:${taken.port}: it is in use by another program`,
    );
    expect(openSockets(gateway.program.pid)).toBe(before);
    await house.serves("blue");
    await house.isWell();
  });

  test.each([0, 30, 300])("and a restart are cut short by SIGTERM after %i ms", async (ms) => {
    await using house = await House.open();
    const { gateway } = house;
    const { workers } = gateway;

    // One worker more takes its time to start.
    house.write({ to: "green", workers: 3 });
    gateway.program.signal("SIGHUP");
    gateway.program.signal("SIGUSR2");
    await pause(ms);
    gateway.program.signal("SIGTERM");
    const began = performance.now();
    const exit = await gateway.program.exit();

    expect(exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(gateway.program.stderr).not.toMatch(/^\s+at /m);
  });
});

test("a full disk costs log lines only, and those that follow are written again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-full-"));
  const canMount = mayMount(folder);
  if (canMount) mountSmallDisk(folder, 64);
  const log = canMount ? join(folder, "access.log") : "/dev/full";
  try {
    await using house = await House.open({ access_log: { file: log } });
    const { gateway } = house;
    if (canMount) fill(join(folder, "ballast"));

    const statuses = await house.statuses(40);
    await until(() => /access log cannot be written/.test(gateway.program.stderr), "it is told");
    house.write({ to: "green", access_log: { file: log } });
    await gateway.happened("reloaded");
    const restart = await gateway.command("restart");
    await house.serves("green");

    expect(statuses).toEqual(Array(40).fill(200));
    expect(restart.exit).toBe(0);
    // Once for each worker, not for each line.
    expect(gateway.program.stderr.match(/access log cannot be written/g)?.length).toBeLessThan(6);
    if (canMount) {
      truncateSync(join(folder, "ballast"));
      await until(async () => {
        await house.statuses(2);
        return readFileSync(log, "utf8").includes('"status":200');
      }, "the log is written again");
    }
    await house.isWell();
  } finally {
    if (canMount) unmount(folder);
    rmSync(folder, { recursive: true });
  }
});

interface Version {
  readonly to: "blue" | "green";
  readonly maxFails?: number;
  readonly workers?: number;
  readonly listen?: readonly string[];
  readonly access_log?: object;
}

/** A gateway with two workers, two servers that tell who they are, and one for WebSockets. */
class House implements AsyncDisposable {
  readonly gateway: GatewayProgram;
  readonly #stack: AsyncDisposableStack;
  readonly #ports: Ports;

  static async open(config: Pick<Version, "access_log"> = {}): Promise<House> {
    await using stack = new AsyncDisposableStack();
    const blue = stack.use(await startScriptedServer([OK], { name: "blue", ...CLOSE }));
    const green = stack.use(await startScriptedServer([OK], { name: "green", ...CLOSE }));
    const sockets = stack.use(await startSocketServer());
    const ports = { blue: blue.port, green: green.port, sockets: sockets.port };
    const gateway = await startGatewayProgram(settingsOf(ports, { to: "blue", ...config }));
    return new House(stack.use(gateway), ports, stack.move());
  }

  constructor(gateway: GatewayProgram, ports: Ports, stack: AsyncDisposableStack) {
    this.gateway = gateway;
    this.#ports = ports;
    this.#stack = stack;
  }

  write(version: Version): void {
    this.gateway.write(settingsOf(this.#ports, version));
  }

  async statuses(count: number): Promise<readonly unknown[]> {
    const answers = await Promise.all(Array.from({ length: count }, () => ask(this.gateway)));
    return answers.map((answer) => answer?.status);
  }

  /** Every worker goes by the version that is written. */
  async serves(server: string): Promise<void> {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(this.gateway)));
    expect(answers.map((answer) => answer?.body)).toEqual(
      Array(20).fill(`${server} answered 200\n`),
    );
  }

  /** Two workers, a next reload that works, and an end in order. */
  async isWell(): Promise<void> {
    const { gateway } = this;
    const reloads = gateway.eventsOf("reloaded").length;
    this.write({ to: "blue", maxFails: 77 });
    await gateway.happened("reloaded", reloads + 1);
    await this.serves("blue");
    await until(() => gateway.workers.length === 2, "there are two workers");
    const { workers } = gateway;
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
    expect(gateway.program.stderr).not.toMatch(/^\s+at /m);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface Ports {
  readonly blue: number;
  readonly green: number;
  readonly sockets: number;
}

function settingsOf(ports: Ports, { to, maxFails = 1, ...config }: Version) {
  const pool = { servers: [{ url: urlOf(ports[to]), max_fails: maxFails }] };
  const drain = { tunnels: "1m" };
  return {
    groups: {
      app: { pools: { main: pool } },
      ws: { routes: [{ path: "/ws" }], pools: { main: urlOf(ports.sockets) }, drain },
    },
    config: { workers: 2, ...config },
  };
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Writes to a file until its disk is full. */
function fill(file: string): void {
  for (const size of [4096, 1]) {
    try {
      for (;;) writeFileSync(file, "x".repeat(size), { flag: "a" });
    } catch {
      // That is what it is for.
    }
  }
}
