import { readdirSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { noise } from "../support/noise.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK, RESET } from "../support/server-script.ts";
import { holdClosedPort } from "../support/unreachable-port.ts";
import { isTrueWithin, standsStill } from "../support/waits.ts";

const KILO = 1024;

test("a body that is still coming goes on to the next server from its first byte", async () => {
  await using blue = await startHandServer();
  await using green = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
  const first = await blue.accept();
  await first.until("\r\n\r\n01234");
  first.reset();
  const second = await green.accept();
  await second.until("\r\n\r\n01234");
  client.send("56789");
  await second.until("56789");
  second.reply(200, "whole");
  const told = await client.answer();

  expect(told?.body).toBe("whole");
  expect(storyOf(await gateway.exchange())).toEqual([
    "PUT / 200",
    "blue send reset 502 counted next",
    "green body ok 200 return",
  ]);
});

test("a chunked body is passed on chunk by chunk, its extensions dropped and trailers kept", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n");
  const connection = await blue.accept();
  const head = await connection.until("\r\n\r\n");
  const first = await connection.until("abc\r\n");
  client.send("4\r\ndefg\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\n");
  const rest = await connection.until("X-Sum: 7\r\n\r\n");
  connection.reply(200);
  await client.answer();

  expect(head.toLowerCase()).toContain("\r\ntransfer-encoding: chunked\r\n");
  expect(head.toLowerCase()).not.toContain("content-length");
  expect([first, rest]).toEqual(["3\r\nabc\r\n", "4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"]);
});

test("a trailer that Connection names goes no further, in either direction", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  const fields = "Connection: X-Hop\r\nTransfer-Encoding: chunked\r\n";
  const body = "2\r\nok\r\n0\r\nx-hop: gone\r\nX-Sum: 7\r\n\r\n";

  client.send(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`);
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  const sent = await connection.until("X-Sum: 7\r\n\r\n");
  connection.send(`HTTP/1.1 200 OK\r\n${fields}\r\n${body}`);
  await client.until("\r\n\r\n");
  const told = await client.until("X-Sum: 7\r\n\r\n");

  expect([sent, told]).toEqual(Array(2).fill("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"));
});

test.each([
  ["with a length", false],
  ["in chunks", true],
])("a body %s that is longer than replay.memory is replayed from a file", async (_, chunked) => {
  const body = noise(3000 * KILO);
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { replay: { memory: "64k" } },
  });
  await using client = await connectRaw(gateway);
  const filesBefore = spoolFiles();

  client.send(chunked ? chunkedPut(body) : requestText({ method: "PUT", body }));
  const told = await client.answer();

  expect([told?.status, told?.body]).toEqual([200, "green answered 200\n"]);
  expect([blue, green].map(({ arrivals }) => arrivals[0]?.body === body)).toEqual([true, true]);
  expect(await isTrueWithin(2_000, () => spoolFiles() === 0)).toBe(true);
  expect(filesBefore).toBe(0);
});

test("a kept body is in a file without a name, which is closed once the answer has begun", async () => {
  const body = noise(200 * KILO);
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { replay: { memory: "10k" } },
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({ method: "PUT", body }));
  const connection = await blue.request();
  const kept = await isTrueWithin(2_000, () => spoolFiles() === 1);
  const named = namedSpoolFiles();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
  const closed = await isTrueWithin(2_000, () => spoolFiles() === 0);
  connection.send("done");
  await client.answer();

  expect([kept, named, closed]).toEqual([true, 0, true]);
});

test("nothing is left of a kept body whose client has gone", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { replay: { memory: "10k" } },
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({ method: "PUT", body: noise(200 * KILO) }));
  const connection = await blue.request();
  client.leave();
  await connection.end();

  expect(await isTrueWithin(2_000, () => spoolFiles() + namedSpoolFiles() === 0)).toBe(true);
});

test("a body longer than replay.limit is not sent twice, and the log says so", async () => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { replay: { memory: "10k", limit: "100k" } },
  });

  const told = await ask(gateway, { method: "PUT", body: noise(300 * KILO) });

  expect([told?.status, green.arrivals]).toEqual([502, []]);
  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual([
    "PUT / 502 SERVER_FAILED",
    "blue head reset 502 counted return",
  ]);
  expect(record.attempts[0]?.why).toContain("the request's body is no longer held");
});

test("a body for which there is no room on disk goes on all the same", async () => {
  const body = noise(1000 * KILO);
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { replay: { memory: "10k" } },
  });
  vi.stubEnv("TMPDIR", "/nowhere");

  const told = await ask(gateway, { method: "PUT", body });
  vi.unstubAllEnvs();

  expect([told?.status, blue.arrivals.map((arrival) => arrival.body === body)]).toEqual([
    200,
    [true],
  ]);
  expect((await gateway.exchange()).shortage).toMatch(
    /^a temporary file for a request's body: ENOENT/,
  );
});

test("a body of any length moves on where not a byte of it was read", async () => {
  const body = noise(2000 * KILO);
  await using blue = await holdClosedPort();
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { replay: { memory: 0, limit: 0 } },
  });

  const told = await ask(gateway, { method: "POST", body });

  expect([told?.status, green.arrivals[0]?.body === body]).toEqual([200, true]);
});

test("a server that reads slowly slows its client down instead of filling the gateway", async () => {
  const body = Buffer.alloc(64 * KILO * KILO, "x");
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { timeouts: { send: 0 }, replay: { limit: 0 } },
  });
  await using client = await connectRaw(gateway);

  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  const connection = await blue.accept();
  connection.pause();
  client.sendInPieces(body);
  await standsStill(() => client.pendingBytes);
  const held = client.pendingBytes;
  connection.resume();
  await connection.until("\r\n\r\n");
  const arrived = await connection.bytes(body.length);
  connection.reply(200);
  const told = await client.answer();

  // Four socket buffers of the kernel take up to 6 MB each.
  expect(held).toBeGreaterThan(body.length - 30 * KILO * KILO);
  expect([arrived.length, told?.status]).toEqual([body.length, 200]);
});

test("a slow upload that makes progress is not cut, however long it takes", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { body_idle: "5s" } },
    clock,
  });
  await using client = await connectRaw(gateway);

  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n");
  const connection = await blue.accept();
  for (let round = 0; round < 40; round += 1) {
    await clock.advance(4_000);
    client.send("x");
    await connection.until("x");
  }
  connection.reply(200);
  const told = await client.answer();

  expect(told?.status).toBe(200);
});

function chunkedPut(body: string): string {
  const size = 50_000;
  const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, n) => {
    const data = body.slice(n * size, (n + 1) * size);
    return `${data.length.toString(16)}\r\n${data}\r\n`;
  });
  const head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  return `${head}${chunks.join("")}0\r\n\r\n`;
}

/** Open files of this process that once were kept bodies. */
function spoolFiles(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /\/understudy-[\da-f]{24} \(deleted\)$/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Files of kept bodies that have a name. */
function namedSpoolFiles(): number {
  return readdirSync(tmpdir()).filter((name) => /^understudy-[\da-f]{24}$/.test(name)).length;
}
