import { describe, expect, test } from "vitest";
import { CodeOnDisk } from "../support/code-on-disk.ts";
import {
  type GatewayProgram,
  type GatewaySettings,
  startGatewayProgram,
} from "../support/gateway-program.ts";
import { isAlive } from "../support/process-facts.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { HANG, OK } from "../support/server-script.ts";
import { until } from "../support/until.ts";
import { freePort } from "../../bench/rig/ports.ts";

const HOLD = { does: "hold", status: 200 } as const;
const CLOSE = { openAtEnd: "close" } as const;

describe.concurrent("a worker that crashes", () => {
  test("is replaced each time, even where it is the only one", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    // Without an admin API nothing but the supervisor itself keeps its process alive.
    await using gateway = await startWorkers(server, { workers: 1, admin: undefined });

    for (let n = 1; n <= 3; n++) {
      killOne(gateway);
      await gateway.happened("worker-started", n);
    }

    expect((await ask(gateway))?.status).toBe(200);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });

  test("again and again is told so, starts ever more rarely, and serves again once it can", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    using code = new CodeOnDisk();
    await using gateway = await startWorkers(server, { workers: 2 }, { main: code.main });

    code.replace("ends");
    killOne(gateway);
    const loop = await gateway.happened("worker-crash-loop");
    const statuses = [];
    for (let n = 0; n < 20; n++) statuses.push((await ask(gateway))?.status);
    const starts = code.starts;
    code.replace("serves");
    await gateway.happened("worker-started");

    expect(loop.reason).toMatch(
      /^worker \d \(process \d+\): it ended at its start with exit code 3, 5 times within a minute; the next one starts in 0\.8 s$/,
    );
    expect(pausesOf(gateway).slice(0, 5)).toEqual(["at once", "0.1 s", "0.2 s", "0.4 s", "0.8 s"]);
    expect(starts).toBeLessThanOrEqual(7);
    expect(statuses).toEqual(Array(20).fill(200));
    expect(gateway.workers.length).toBe(2);
  });

  test("that hangs is replaced within seconds, and told", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    await using gateway = await startWorkers(server, { workers: 2 });
    const [victim = 0] = gateway.workers;

    const began = performance.now();
    process.kill(victim, "SIGSTOP");
    await gateway.happened("worker-started");
    const ms = performance.now() - began;

    expect(ms).toBeLessThan(15_000);
    expect(gateway.eventsOf("worker-crashed").map(({ reason }) => reason)).toEqual([
      expect.stringMatching(
        /: it had not reported for 6 s, and was killed; the next one starts at once$/,
      ),
    ]);
    expect(isAlive(victim)).toBe(false);
  });
});

test("a worker that crashes while it drains is told, and is not replaced", async () => {
  await using server = await startScriptedServer([HANG], CLOSE);
  await using gateway = await startWorkers(server, { workers: 1 });
  const [victim = 0] = gateway.workers;
  const hanging = ask(gateway, { path: "/hanging" });
  await server.received("/hanging");

  gateway.program.signal("SIGUSR2");
  await gateway.happened("restarted");
  process.kill(victim, "SIGKILL");
  const { reason } = await gateway.happened("worker-crashed");

  expect(await hanging).toBeUndefined();
  expect(reason).toBe(
    `worker 0 (process ${victim}): it ended with SIGKILL; it was draining, so none takes its place`,
  );
  expect(gateway.workers.length).toBe(1);
  expect(gateway.workers).not.toContain(victim);
});

describe.concurrent("the end", () => {
  test("of the supervisor lets what is in flight end, and frees the port at once", async () => {
    await using server = await startScriptedServer([HOLD], CLOSE);
    const listen = `127.0.0.1:${await freePort()}`;
    await using gateway = await startWorkers(server, { workers: 2, listen });
    const { workers } = gateway;
    const held = ask(gateway, { path: "/held" });
    await server.received("/held");

    gateway.program.signal("SIGKILL");
    await until(() => refuses(gateway.port), "nobody listens", 2_000);
    await using next = await startWorkers(server, { workers: 2, listen });
    server.release();

    expect((await held)?.status).toBe(200);
    await until(() => !workers.some(isAlive), "the workers have ended");
    expect(next.port).toBe(gateway.port);
  });

  test("of the supervisor while workers start ends these as well", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    using code = new CodeOnDisk();
    await using gateway = await startWorkers(server, { workers: 2 }, { main: code.main });
    const all = new Set(gateway.workers);

    gateway.program.signal("SIGUSR2");
    await until(() => code.starts === 4, "new workers start");
    for (const pid of gateway.workers) all.add(pid);
    gateway.program.signal("SIGKILL");
    await gateway.program.exit();

    expect(all.size).toBe(4);
    await until(() => ![...all].some(isAlive), "all workers have ended", 10_000);
    expect(gateway.program.stderr).not.toMatch(/unknown command|^\s+at /m);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "a second %s ends everything at once, and leaves no process",
    async (signal) => {
      await using server = await startScriptedServer([HANG], CLOSE);
      await using gateway = await startWorkers(server, { workers: 2 });
      const { workers } = gateway;
      await using client = await connectRaw(gateway);
      client.send(requestText({ path: "/hanging" }));
      await server.received("/hanging");

      gateway.program.signal(signal);
      await until(() => refuses(gateway.port), "it stops");
      const began = performance.now();
      gateway.program.signal(signal);
      const exit = await gateway.program.exit();
      const ms = performance.now() - began;

      expect(exit).toEqual({ code: 1, signal: null });
      expect(ms).toBeLessThan(2_000);
      expect(workers.filter(isAlive)).toEqual([]);
    },
  );

  test("by Ctrl-C, which all processes of a terminal get, lets what is in flight end", async () => {
    await using server = await startScriptedServer([HOLD], CLOSE);
    const options = { detached: true };
    await using gateway = await startWorkers(server, { workers: 2 }, { options });
    const { workers } = gateway;
    const held = ask(gateway, { path: "/held" });
    await server.received("/held");

    process.kill(-gateway.program.pid, "SIGINT");
    await until(() => refuses(gateway.port), "it stops");
    server.release();

    expect((await held)?.status).toBe(200);
    expect(await gateway.program.exit()).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
    expect(gateway.eventsOf("worker-crashed")).toEqual([]);
  });
});

function startWorkers(
  server: ScriptedServer,
  config: object,
  settings: Partial<GatewaySettings> = {},
): Promise<GatewayProgram> {
  const blue = `http://127.0.0.1:${server.port}`;
  const groups = { app: { pools: { blue }, timeouts: { read: "1m" } } };
  return startGatewayProgram({ groups, config, ...settings });
}

function killOne({ workers }: GatewayProgram): void {
  const [victim] = workers;
  if (victim === undefined) throw new Error("no worker");
  process.kill(victim, "SIGKILL");
}

function pausesOf(gateway: GatewayProgram): readonly (string | undefined)[] {
  const crashes = gateway.eventsOf("worker-crashed", "worker-crash-loop");
  return crashes.map(({ reason = "" }) => /the next one starts (?:in )?(.*)$/.exec(reason)?.[1]);
}

async function refuses(port: number): Promise<boolean> {
  try {
    await using _ = await connectRaw({ port });
    return false;
  } catch {
    return true;
  }
}
