import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { connectFull } from "../support/full-client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { standsStill } from "../support/waits.ts";

test("a gateway that stops closes idle connections and accepts no more", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  await client.answer();

  await gateway.stop();

  expect(await client.end()).toBe("closed");
  await expect(connectRaw(gateway)).rejects.toThrow("ECONNREFUSED");
});

test("a request that was on its way to an idle connection at the stop is still answered", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  await client.answer();

  const stopped = gateway.stop();
  client.send(requestText({}));
  const told = await client.answer();
  await stopped;

  expect([told?.status, told?.fields.get("connection")]).toEqual([200, "close"]);
});

test("a unix socket that a killed gateway left behind does not keep the next one from starting", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "stale-")), "gateway.sock");
  const listen = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", listen]), "exit");
  await using blue = await startScriptedServer([OK]);
  const setup = { pools: { blue: [blue] }, top: { listen: [{ address: `unix:${path}` }] } };

  {
    await using gateway = await startTestGateway(setup);
    expect(gateway.address).toBe(`unix:${path}`);
    await expect(startTestGateway(setup)).rejects.toThrow("EADDRINUSE");
  }
  await rm(dirname(path), { recursive: true });
});

test("a file that is no socket is not removed to listen in its place", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "precious-")), "notes.txt");
  await writeFile(path, "precious");

  const starting = startTestGateway({ top: { listen: [{ address: `unix:${path}` }] } });

  await expect(starting).rejects.toThrow("EADDRINUSE");
  expect(await readFile(path, "utf8")).toBe("precious");
  await rm(dirname(path), { recursive: true });
});

test("an exchange in flight ends, with Connection: close, before the gateway has stopped", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  const connection = await blue.request();
  let hasStopped = false;

  const stopped = gateway.stop().then(() => (hasStopped = true));
  const before = hasStopped;
  connection.reply(200, "last");
  const told = await client.answer();
  await stopped;

  expect([before, told?.body, told?.fields.get("connection")]).toEqual([false, "last", "close"]);
});

test("an answer that had begun before the stop ends, and its connection with it", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  const connection = await blue.request();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  await client.until("half");

  const stopped = gateway.stop();
  connection.send("half");
  await client.until("half");
  // It was told that it may stay, so its next request may be on its way already.
  await clock.runUntil(stopped);

  expect(await client.end()).toBe("closed");
});

test("a request whose body was under way at the stop is still answered", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha");
  const connection = await blue.accept();
  await connection.until("ha");

  const stopped = gateway.stop();
  client.send("lf");
  await connection.until("lf");
  connection.reply(200);
  const told = await client.answer();
  await stopped;

  expect([told?.status, told?.fields.get("connection")]).toEqual([200, "close"]);
});

test("after shutdown_timeout what is left is told that the gateway stops", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { timeouts: { read: 0 } },
    top: { shutdown_timeout: "10s" },
    clock,
  });
  await using client = await connectRaw(gateway);
  client.send(requestText({}));
  const connection = await blue.request();

  await clock.runUntil(gateway.stop());
  await connection.end();
  await client.end();

  expect(clock.now()).toBeGreaterThanOrEqual(10_000);
  expect(client.unread).toContain("HTTP/1.1 503 ");
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 503 STOPPING",
    "blue head aborted - return",
  ]);
});

test("a gateway whose address is taken says so and leaves nothing behind", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const listen = [{ address: "127.0.0.1:0" }, { address: gateway.address }];
  const second = startTestGateway({ pools: { blue: [blue] }, top: { listen } });

  await expect(second).rejects.toThrow("EADDRINUSE");
});

test("answers that a slow client has not read yet reach it although the gateway stops", async () => {
  const clock = new ManualClock();
  const body = "x".repeat(8 * 1024);
  await using blue = await startScriptedServer([{ does: "answer", status: 200, body }]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  client.pause();
  client.send(requestText({}).repeat(4_000));
  await standsStill(() => gateway.exchanges.length);

  const stopped = gateway.stop();
  await clock.advance(1_000);
  client.resume();
  let whole = 0;
  while ((await client.answer())?.complete === true) whole += 1;
  await clock.runUntil(stopped);

  expect(whole).toBe(gateway.exchanges.length);
});

test("the last bytes of an answer that a slow client has not read yet reach it as well", async () => {
  const clock = new ManualClock();
  const body = "x".repeat(8 * 1024);
  await using blue = await startScriptedServer([{ does: "answer", status: 200, body }]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  const { client, count } = await connectFull(gateway);
  await using _client = client;

  const stopped = gateway.stop();
  await clock.advance(1_000);
  client.resume();
  let whole = 0;
  while ((await client.answer())?.complete === true) whole += 1;
  await clock.runUntil(stopped);

  expect(whole).toBe(count);
});
