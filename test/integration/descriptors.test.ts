import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { startGatewayProgram } from "../support/gateway-program.ts";
import { ask, connectMany, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

test("a gateway without file descriptors blames no server, and serves again when it has some", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startGatewayProgram({
    groups: {
      app: { pools: { blue: urlOf(blue), green: urlOf(green) }, keepalive: { max_idle: 0 } },
    },
    config: { workers: 0 },
  });
  const { pid } = gateway.program;
  const openFiles = (): number => readdirSync(`/proc/${pid}/fd`).length;
  const before = await ask(gateway);
  const limit = openFiles() + 10;
  spawnSync("prlimit", [`--pid=${pid}`, `--nofile=${limit}:${limit}`]);

  const isFull = async () => await isTrueWithin(5_000, () => openFiles() >= limit);
  const statuses = await askTogether(gateway, 30, isFull);
  await isTrueWithin(2_000, () => openFiles() < limit - 5);
  const after = await ask(gateway);
  await gateway.stop();

  expect([before?.body, after?.body]).toEqual(["blue answered 200\n", "blue answered 200\n"]);
  // Some got no connection at all.
  expect(new Set(statuses)).toEqual(new Set([502, undefined]));
  const attempts = gateway.accessLog.flatMap((line) => line.attempts ?? []);
  expect(
    new Set(attempts.map(({ cause, decision, why }) => `${cause} ${decision} ${why}`)),
  ).toEqual(
    new Set([
      "local return was not reached for lack of the gateway's own means: " +
        "another server would be reached no better (EMFILE)",
    ]),
  );
  expect(gateway.events.find(({ message }) => message === "the gateway runs short")).toMatchObject({
    reason: "EMFILE",
  });
  expect([gateway.events.filter(({ event }) => event !== undefined), green.arrivals]).toEqual([
    [],
    [],
  ]);
});

/** All connect, and `isReady` holds, before the first asks. */
async function askTogether(
  target: { readonly port: number },
  count: number,
  isReady: () => Promise<boolean>,
): Promise<readonly (number | undefined)[]> {
  await using clients = await connectMany(target, count);
  expect(await isReady()).toBe(true);
  for (const client of clients.all) client.send(requestText({}));
  return await Promise.all(clients.all.map(async (client) => (await client.answer())?.status));
}

function urlOf(server: { readonly port: number }): string {
  return `http://127.0.0.1:${server.port}`;
}
