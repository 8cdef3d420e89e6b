import { describe, expect, test } from "vitest";
import { CodeOnDisk } from "../support/code-on-disk.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { isAlive } from "../support/process-facts.ts";
import { ask } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { closeOf, connectSocket, messages, startSocketServer } from "../support/sockets.ts";
import { until } from "../support/until.ts";

const HOLD = { does: "hold", status: 200 } as const;
const CLOSE = { openAtEnd: "close" } as const;

describe.concurrent("code on the disk that does not work", () => {
  test.each([
    ["ends", /^it ended at its start with exit code 3\n$/],
    ["hangs", /^it was not ready within 15 s\n$/],
  ] as const)("(%s) leaves the old workers in service, and is told", async (deed, why) => {
    await using server = await startScriptedServer([OK], CLOSE);
    using code = new CodeOnDisk();
    await using gateway = await startWith(code, server);
    const before = gateway.workers;

    code.replace(deed);
    const told = await gateway.command("restart");
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(gateway)));

    expect(told).toEqual({ exit: 1, stdout: "", stderr: expect.stringMatching(why) });
    expect(gateway.workers).toEqual(before);
    expect(answers.map((answer) => answer?.status)).toEqual(Array(10).fill(200));
    expect(gateway.eventsOf("restart-failed").length).toBe(1);
    expect(gateway.eventsOf("worker-crashed")).toEqual([]);
  });

  test("by SIGUSR2 is told in the log, and the next restart works", async () => {
    await using server = await startScriptedServer([OK], CLOSE);
    using code = new CodeOnDisk();
    await using gateway = await startWith(code, server);
    const before = gateway.workers;

    code.replace("ends");
    gateway.program.signal("SIGUSR2");
    const failed = await gateway.happened("restart-failed");
    code.replace("serves");
    gateway.program.signal("SIGUSR2");
    await gateway.happened("restarted");
    await until(() => !before.some(isAlive), "the old workers are gone");

    expect(failed.reason).toBe("it ended at its start with exit code 3");
    expect(gateway.workers.length).toBe(2);
    expect((await ask(gateway))?.status).toBe(200);
  });
});

describe("code on the disk that works", () => {
  test("takes over; what is in flight ends, a WebSocket stays until the drain is over", async () => {
    await using server = await startScriptedServer([HOLD], CLOSE);
    await using sockets = await startSocketServer();
    using code = new CodeOnDisk();
    await using gateway = await startGatewayProgram({
      main: code.main,
      groups: {
        app: { pools: { blue: urlOf(server) }, timeouts: { read: "1m" } },
        ws: {
          routes: [{ path: "/ws" }],
          pools: { blue: urlOf(sockets) },
          drain: { tunnels: "3s", spread: "100ms" },
        },
      },
      config: { workers: 2 },
    });
    await using client = await connectSocket({ port: gateway.port }, { path: "/ws" });
    const before = gateway.workers;
    const held = ask(gateway, { path: "/held" });
    await server.received("/held");

    const told = await gateway.command("restart");
    const since = performance.now();
    client.socket.send("still there?");
    const echoed = await messages(client.socket, 1);
    server.release();
    const [status] = await closeOf(client.socket);
    const openMs = performance.now() - since;

    expect(told).toMatchObject({ exit: 0, stderr: "" });
    expect(told.stdout).toBe(`new workers serve: processes ${newOnes(gateway, before)}\n`);
    expect(echoed.map(String)).toEqual(["still there?"]);
    expect((await held)?.status).toBe(200);
    expect(status).toBe(1012);
    expect(openMs).toBeGreaterThan(2_000);
    await until(() => !before.some(isAlive), "the old workers are gone");
    expect(gateway.workers.length).toBe(2);
  });
});

function startWith(code: CodeOnDisk, server: ScriptedServer): Promise<GatewayProgram> {
  const groups = { app: { pools: { blue: urlOf(server) } } };
  return startGatewayProgram({ groups, config: { workers: 2 }, main: code.main });
}

function urlOf({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`;
}

function newOnes(gateway: GatewayProgram, before: readonly number[]): string {
  return gateway.workers.filter((pid) => !before.includes(pid)).join(", ");
}
