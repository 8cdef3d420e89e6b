import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { noise } from "../support/noise.ts";
import { connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { standsStill } from "../support/waits.ts";

const KILO = 1024;

test("a client that pipelines requests and reads no answer is served no further ones", async () => {
  const count = 1_000;
  const body = noise(50 * KILO);
  await using blue = await startScriptedServer([{ does: "answer", status: 200, body }]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.pause();
  client.send(requestText({}).repeat(count));
  await blue.received("/");
  await standsStill(() => blue.arrivals.length);
  const served = blue.arrivals.length;
  client.resume();
  const lengths = new Set<number | undefined>();
  for (let n = 0; n < count; n += 1) lengths.add((await client.answer())?.body.length);

  // What the kernel's buffers hold, which is some megabytes.
  expect(served).toBeLessThan(count / 2);
  expect([blue.arrivals.length, [...lengths]]).toEqual([count, [body.length]]);
});

test("a body in chunks of one byte is passed on in larger ones", async () => {
  const length = 20_000;
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send(`${"1\r\nx\r\n".repeat(length)}0\r\n\r\n`);
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  const body = await connection.until("\r\n0\r\n\r\n");
  connection.reply(200);
  await client.answer();

  expect(body.replace(/[^x]/g, "").length).toBe(length);
  expect(body.length).toBeLessThan(1.1 * length);
});

test("a client that does not read has no more early hints read for it", async () => {
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${noise(50 * KILO)}>\r\n\r\n`;
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.pause();
  client.send(requestText({}));
  const connection = await blue.request();
  connection.sendInPieces(Buffer.from(hint.repeat(500), "latin1"));
  await standsStill(() => connection.pendingBytes);
  const left = connection.pendingBytes;
  client.resume();
  await standsStill(() => connection.pendingBytes);
  connection.reply(200, "done");
  const told = await client.answer();

  expect(left).toBeGreaterThan(10 * KILO * KILO);
  expect([told?.body, told?.informational.length]).toEqual(["done", 500]);
});

test("a server that never comes to its answer is given up after 1,000 early ones", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send("HTTP/1.1 102 Processing\r\n\r\n".repeat(1_001));
  const told = await client.answer();

  expect([told?.status, told?.informational.length]).toEqual([502, 1_000]);
  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual([
    "GET / 502 SERVER_FAILED",
    "blue head malformed 502 counted return",
  ]);
  expect(record.attempts[0]?.why).toContain("more than 1000 answers before the final one");
});

test("an answer that a client stopped reading never looks whole", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { send_idle: "100ms" } },
  });
  await using client = await connectRaw(gateway);

  client.pause();
  client.send("GET / HTTP/1.0\r\n\r\n");
  const connection = await blue.request();
  connection.send("HTTP/1.1 200 OK\r\n\r\n");
  connection.sendInPieces(Buffer.alloc(20 * KILO * KILO));
  await gateway.exchange();
  client.resume();

  // To a client of HTTP/1.0 an end in order is the end of the body.
  expect(await client.end()).toBe("reset");
});
