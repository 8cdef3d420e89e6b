import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../../src/control/control.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway.ts";
import { FakeWorkers } from "../support/fake-workers.ts";
import { type GatewaySetup, readConfig } from "../support/gateway.ts";

const POOLS = { blue: [{ url: "http://127.0.0.1:1" }] };

test("a reload that needs another kind of process is refused, and says what to do", async () => {
  const { gateway, workers } = await startedWith({ workers: 2 });

  const none = await gateway.apply(configFor({ workers: 0 }));
  const one = await startedWith({ workers: 0 });
  const some = await one.gateway.apply(configFor({ workers: 2 }));

  const lines = ["a change from or to `workers: 0` needs a new start of the gateway"];
  const refusal = { ok: false, kind: "refused", lines };
  expect([none, some]).toEqual([refusal, refusal]);
  expect(workers.alive.length).toBe(2);
  expect(gateway.config.number).toBe(1);
});

test("workers come and go with a reload", async () => {
  const { gateway, workers } = await startedWith({ workers: 1 });

  await gateway.apply(configFor({ workers: 3 }));
  const more = gateway.workers.map(({ state }) => state);
  await gateway.apply(configFor({ workers: 2 }));

  expect(more).toEqual(["serving", "serving", "serving"]);
  expect(gateway.workers.map(({ state }) => state)).toEqual(["serving", "serving", "draining"]);
  expect(workers.all.length).toBe(3);
});

test("a reload that is refused leaves no socket behind", async () => {
  const { gateway, workers } = await startedWith({ workers: 1 });
  workers.obey = ({ type }) =>
    type === "prepare" ? { ok: false, reason: "not today" } : { ok: true };
  const before = openFiles();

  const refused: Outcome[] = [];
  for (let n = 0; n < 3; n++) refused.push(await gateway.apply(configFor({ workers: 4 })));

  expect(refused.map(({ ok }) => ok)).toEqual([false, false, false]);
  expect(openFiles()).toBe(before);
});

test("a file that says the same in other words is shown by its new hash", async () => {
  const { gateway } = await startedWith({ workers: 1 }, { hash: "before" });

  const outcome = await gateway.apply(configFor({ workers: 1 }), "after");

  expect(outcome).toEqual({ ok: true, lines: ["nothing has changed"] });
  expect(gateway.config).toMatchObject({ number: 1, hash: "after" });
});

test("the admin address may move and move back at once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [here, there] = ["here", "there"].map((name) => `unix:${join(folder, name)}`);
  const { gateway } = await startedWith({ workers: 0, admin: { address: here } });

  const away = await gateway.apply(configFor({ workers: 0, admin: { address: there } }));
  const back = await gateway.apply(configFor({ workers: 0, admin: { address: here } }));

  const done = { ok: true, lines: ["admin changed"] };
  expect([away, back]).toEqual([done, done]);
  expect(gateway.adminAddress).toBe(here);
});

test("nothing is reloaded once the gateway stops", async () => {
  const { gateway, workers } = await startedWith({ workers: 1 });
  const stopped = gateway.stop();

  const outcome = await gateway.apply(configFor({ workers: 2 }));

  expect(outcome).toEqual({ ok: false, kind: "failed", lines: ["the gateway stops"] });
  for (const worker of workers.alive) worker.end("exit code 0");
  await stopped;
});

test("a socket of the service manager is there again when its address is", async () => {
  const { fd, port } = boundSocket();
  const other = "127.0.0.1:0";
  const mine = `127.0.0.1:${port}`;
  const { gateway } = await startedWith({ workers: 1, listen: [mine, other] }, { passed: [fd] });

  await gateway.apply(configFor({ workers: 1, listen: [other] }));
  const back = await gateway.apply(configFor({ workers: 1, listen: [other, mine] }));

  expect(back).toEqual({ ok: true, lines: [`listen ${mine} added`] });
});

/** As a service manager passes it: open, and its own to close. */
function boundSocket(): { readonly fd: number; readonly port: number } {
  const create: unknown = Reflect.get(net, "_createServerHandle");
  if (typeof create !== "function") throw new Error("this Node cannot bind without listening");
  const handle = Reflect.apply(create, net, ["127.0.0.1", 0, 4]);
  const name = { port: 0 };
  handle.getsockname(name);
  return { fd: handle.fd, port: name.port };
}

interface Started {
  readonly gateway: Gateway;
  readonly workers: FakeWorkers;
}

async function startedWith(top: object, options: GatewayOptions = {}): Promise<Started> {
  const workers = new FakeWorkers();
  const gateway = await startGateway(configFor(top), { launch: workers.launch, ...options });
  onTestFinished(async () => {
    const stopped = gateway.stop();
    for (const worker of workers.alive) worker.end("exit code 0");
    await stopped;
  });
  return { gateway, workers };
}

function configFor(top: GatewaySetup["top"] & object) {
  return readConfig({ pools: POOLS, top });
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
