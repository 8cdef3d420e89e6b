import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type BoundAddress, bindAddress, release } from "../../src/process/bound-address.ts";
import { startGatewayProgram } from "../support/gateway-program.ts";
import { isAlive } from "../support/process-facts.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { freePort } from "../../bench/rig/ports.ts";
import { until } from "../support/until.ts";

const CLOSE = { openAtEnd: "close" } as const;
/** Tells the process that Node becomes which sockets are for it, as systemd does. */
const PASS = (count: number) => ["sh", "-c", `LISTEN_FDS=${count} LISTEN_PID=$$ exec "$@"`, "sh"];

const folder = mkdtempSync(join(tmpdir(), "understudy-systemd-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent("sockets that systemd has opened", () => {
  test.each([0, 2])(
    "are served (%i workers), before and after reloads and restarts, and outlive the gateway",
    async (workers) => {
      await using server = await startScriptedServer([OK], CLOSE);
      using sockets = await HeldSockets.open(join(folder, `${workers}.sock`));
      const own = `127.0.0.1:${await freePort()}`;
      const settings = (...more: readonly string[]) => ({
        groups: { app: { pools: { blue: `http://127.0.0.1:${server.port}` } } },
        config: { workers, listen: [...sockets.addresses, ...more] },
      });
      await using gateway = await startGatewayProgram({
        ...settings(),
        wrapper: PASS(sockets.descriptors.length),
        options: { descriptors: sockets.descriptors },
      });

      const atStart = await statusesAt(sockets.targets);
      gateway.write(settings(own));
      const reload = await gateway.command("reload");
      const restart = await gateway.command("restart");
      const afterwards = await statusesAt([...sockets.targets, { port: portOf(own) }]);
      const all = gateway.workers;
      const exit = await gateway.stop();
      // Nobody serves now, but whoever comes waits for the next start and is not refused.
      await using early = await connectRaw({ port: sockets.port });
      early.send(requestText({}));
      await using next = await startGatewayProgram({
        ...settings(),
        wrapper: PASS(sockets.descriptors.length),
        options: { descriptors: sockets.descriptors },
      });

      expect(atStart).toEqual([200, 200]);
      expect(reload).toMatchObject({ exit: 0, stderr: "" });
      expect(restart.exit).toBe(workers === 0 ? 1 : 0);
      expect(afterwards).toEqual([200, 200, 200]);
      expect(exit).toEqual({ code: 0, signal: null });
      expect(all.filter(isAlive)).toEqual([]);
      expect((await early.answer())?.status).toBe(200);
      expect(next.program.stdout).toContain(`127.0.0.1:${sockets.port}`);
    },
  );
});

test("systemd is told when the gateway is ready, and when it stops", async () => {
  const told = join(folder, "told");
  const notify = join(folder, "systemd-notify");
  writeFileSync(notify, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> "${told}"\n`);
  chmodSync(notify, 0o755);
  await using server = await startScriptedServer([OK], CLOSE);
  const env = {
    ...process.env,
    NOTIFY_SOCKET: "/run/test/notify",
    PATH: `${folder}${delimiter}${process.env["PATH"]}`,
  };
  await using gateway = await startGatewayProgram({
    groups: { app: { pools: { blue: `http://127.0.0.1:${server.port}` } } },
    config: { workers: 1 },
    options: { env },
  });
  const { pid } = gateway.program;
  await until(() => linesOf(told).length > 0, "it is ready");
  await gateway.stop();

  expect(linesOf(told)).toEqual([
    `/run/test/notify --pid=${pid} READY=1`,
    `/run/test/notify --pid=${pid} STOPPING=1`,
  ]);
});

/** A port and a unix socket that are held here, where nobody accepts from them. */
class HeldSockets implements Disposable {
  readonly #path: string;
  readonly #tcp: BoundAddress;
  readonly #unix: BoundAddress;

  static async open(path: string): Promise<HeldSockets> {
    const tcp = await bindAddress({ kind: "tcp", host: "127.0.0.1", port: 0 }, 1);
    return new HeldSockets(path, tcp, await bindAddress({ kind: "unix", path }, 1));
  }

  constructor(path: string, tcp: BoundAddress, unix: BoundAddress) {
    this.#path = path;
    this.#tcp = tcp;
    this.#unix = unix;
  }

  get port(): number {
    return portOf(this.#tcp.shown);
  }

  get addresses(): readonly string[] {
    return [this.#tcp.shown, this.#unix.shown];
  }

  get targets() {
    return [{ port: this.port }, { path: this.#path }];
  }

  get descriptors(): readonly number[] {
    const sockets = [...this.#tcp.sockets, ...this.#unix.sockets];
    return sockets.map((socket) => Number(Reflect.get(socket, "fd")));
  }

  [Symbol.dispose](): void {
    release(this.#tcp);
    release(this.#unix);
  }
}

async function statusesAt(targets: readonly ({ port: number } | { path: string })[]) {
  const answers = [];
  for (const target of targets) answers.push((await ask(target))?.status);
  return answers;
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    return [];
  }
}
