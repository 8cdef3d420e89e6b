import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { GatewayHome } from "../support/gateway-home.ts";
import { until } from "../support/until.ts";

const APP = `${import.meta.dirname}/../../demo/app.ts`;
/** Seconds until its process begins. */
const BOOT = 4.5;

test("an app at home with a cold machine in the cloud: nobody sees that the one at home dies", async ({
  annotate,
}) => {
  await using blue = await startDemoApp("blue");
  const cloud = await coldMachine();
  const green = { url: `http://127.0.0.1:${cloud.port}`, standby: "cold", boot_timeout: "20s" };
  const actions = { start: { exec: cloud.start }, stop: { exec: cloud.stop }, stop_after: "2s" };
  await using home = new GatewayHome({
    workers: 2,
    groups: {
      app: {
        hold: "10s",
        hold_down: "1s",
        health: { path: "/healthz", interval: "500ms", fast_interval: "250ms" },
        pools: { blue: blue.url, green: { ...green, ...actions } },
      },
    },
  });
  await home.start();
  const client = startClient({
    host: "127.0.0.1",
    port: home.port,
    connections: 500,
    ratePerSecond: 50,
  });
  onTestFinished(() => client.stop().then(() => {}));
  await until(() => client.summary().ok > 50, "load");

  await blue.kill();
  await until(() => (client.summary().byPool["green"] ?? 0) > 100, "the standby serves");
  await blue.start();
  await until(() => home.told.includes('"failback"'), "the primary serves again");
  await until(() => home.told.includes('"standby-asleep"'), "the standby is stopped");
  const summary = await client.stop();

  const { p50, max } = summary.latencyMs;
  await annotate(`${summary.issued} requests, the slowest ${max} ms, p50 ${p50} ms`);
  expect(summary).toMatchObject({ failed: 0, unsent: 0, strayBytes: 0 });
  expect(max).toBeLessThan(7_000);
  const story = eventsOf(home).filter((event) => /^(?:all-down|standby|fail)/.test(event));
  expect(story).toEqual([
    "all-down",
    "standby-booting",
    "standby-ready",
    "failover",
    "failback",
    "standby-asleep",
  ]);
  await until(async () => !(await listens(cloud.port)), "the machine is off");
}, 60_000);

/** What it takes to boot a machine, and to turn it off. */
async function coldMachine() {
  const folder = mkdtempSync(join(tmpdir(), "understudy-cloud-"));
  const pid = join(folder, "pid");
  const port = await freePort();
  const app = `${process.execPath} ${APP} --port ${port} --pool green`;
  const boot = `(sleep ${BOOT}; exec ${app}) >/dev/null 2>&1 & echo $! >${pid}`;
  const stop = `kill $(cat ${pid}) && rm ${pid}`;
  onTestFinished(() => {
    if (existsSync(pid)) process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL");
    rmSync(folder, { recursive: true });
  });
  return { port, start: ["bash", "-c", boot], stop: ["bash", "-c", stop] };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function listens(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
  return answer !== undefined;
}

function eventsOf({ told }: GatewayHome): readonly string[] {
  return Array.from(told.matchAll(/"event":"([^"]+)"/g), ([, event = ""]) => event);
}
