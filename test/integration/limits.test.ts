import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectMany, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

const LIMITS = { head: "2k", target: 100, headers: 10, body: "1k" };

test.each([
  [414, "a target", requestText({ path: `/${"x".repeat(100)}` })],
  [414, "a target without an end", `GET /${"x".repeat(1_000)}`],
  [431, "a head", requestText({ fields: { "X-Long": "x".repeat(3_000) } })],
  [431, "a head without an end", `GET / HTTP/1.1\r\nX-Long: ${"x".repeat(3_000)}`],
  [431, "a number of fields", `GET / HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(10)}\r\n`],
  [413, "a body", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n"],
  [
    413,
    "a chunked body",
    `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n${"x".repeat(1025)}\r\n`,
  ],
  [
    413,
    "a body that waits for 100 Continue",
    "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1025\r\n\r\n",
  ],
])("%i is the answer to %s above its limit, and the end", async (status, _, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: LIMITS },
  });
  await using client = await connectRaw(gateway);

  client.send(text);
  const told = await client.answer();
  const end = await client.end();

  expect([told?.status, told?.fields.get("connection"), end]).toEqual([status, "close", "closed"]);
  expect((await gateway.exchange()).status).toBe(status);
  expect(gateway.happened).toEqual([]);
});

test("what is just within the limits is served", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: LIMITS },
  });

  const path = `/${"x".repeat(99)}`;
  const told = await ask(gateway, { method: "PUT", path, body: "x".repeat(1024) });

  expect(told?.status).toBe(200);
});

test("a request behind a chunked body that was too large is not taken for its rest", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: LIMITS },
  });
  await using client = await connectRaw(gateway);

  const chunk = `401\r\n${"x".repeat(1025)}\r\n0\r\n\r\n`;
  const large = `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`;
  client.send(`${large}${requestText({ path: "/next" })}`);
  const first = await client.answer();
  const isClosed = first?.fields.get("connection") === "close";
  const second = isClosed ? undefined : await client.answer();

  expect([first?.status, second?.status]).toEqual([413, isClosed ? undefined : 200]);
});

describe("a client that is slow", () => {
  test("with its head gets 408 after limits.head_time, however it trickles", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);

    client.send("GET / HTTP/1.1\r\n");
    await clock.advance(1_000);
    for (let second = 1; second < 9; second += 1) {
      client.send("A: b\r\n");
      await clock.advance(1_000);
    }
    const before = client.unread;
    const told = await clock.runUntil(client.answer());
    const end = await client.end();

    const record = await gateway.exchange();
    expect([before, told?.status, end]).toEqual(["", 408, "closed"]);
    expect(storyOf(record)).toEqual(["  408 REQUEST_TIMEOUT"]);
    expect(record.requestTimeMs).toBeGreaterThanOrEqual(9_900);
  });

  test("with its head has the time it took in its log line", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);
    const beganAt = clock.wall();

    client.send("GET / HTTP/1.1\r\n");
    await isTrueWithin(2_000, () => gateway.connections === 1);
    await clock.advance(4_000);
    client.send("Host: a\r\n\r\n");
    await client.answer();
    await clock.advance(4_000);
    client.send(requestText({}));
    await client.answer();

    const [slow, quick] = gateway.exchanges.map(({ startedAt, requestTimeMs }) => ({
      endedAt: startedAt + requestTimeMs - beganAt,
      requestTimeMs,
    }));
    expect([slow?.endedAt, quick]).toEqual([4_000, { endedAt: 8_000, requestTimeMs: 0 }]);
    expect(slow?.requestTimeMs).toBeGreaterThan(3_000);
  });

  test("to begin is closed without a word", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);
    await isTrueWithin(2_000, () => gateway.connections === 1);

    const end = await clock.runUntil(client.end());

    expect([end, client.unread, gateway.exchanges]).toEqual(["closed", "", []]);
  });

  test("with its body gets 408 after limits.body_idle, and its server no strike", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      top: { limits: { body_idle: "5s" } },
      clock,
    });
    await using client = await connectRaw(gateway);

    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    const connection = await blue.accept();
    await connection.until("half");
    const told = await clock.runUntil(client.answer());
    await connection.end();

    expect([told?.status, told?.fields.get("connection")]).toEqual([408, "close"]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "PUT / 408 REQUEST_TIMEOUT",
      "blue send aborted - return",
    ]);
    expect([gateway.happened, green.arrivals]).toEqual([[], []]);
  });

  test("with its next request is closed after limits.idle", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    await client.answer();
    await clock.advance(74_000);
    const before = gateway.connections;
    await clock.advance(2_000);
    const end = await client.end();

    expect([before, end, gateway.connections]).toEqual([1, "closed", 0]);
  });
});

test("a chunked body that is malformed gets 400, and its server no strike", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  const connection = await blue.accept();
  await connection.until("half");
  client.send("0x4\r\nhalf\r\n");
  const told = await client.answer();
  await connection.end();

  expect([told?.status, told?.fields.get("connection")]).toEqual([400, "close"]);
  expect(storyOf(await gateway.exchange())).toEqual([
    "PUT / 400 BAD_REQUEST",
    "blue send aborted - return",
  ]);
  expect([gateway.happened, green.arrivals]).toEqual([[], []]);
});

test("limits.connections: the next connection gets 503 and a close, also if it has asked", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { connections: 2 } },
  });
  await using clients = await connectMany(gateway, 2);
  for (const client of clients.all) client.send(requestText({}));
  await Promise.all(clients.all.map(async (client) => await client.answer()));

  for (let round = 0; round < 10; round += 1) {
    await using third = await connectRaw(gateway);
    third.send(requestText({ fields: { "X-Long": "x".repeat(4_000) } }));
    const told = await third.answer();
    const end = await third.end();
    expect([told?.status, told?.fields.get("retry-after"), end]).toEqual([503, "1", "closed"]);
  }

  clients.all[0]?.leave();
  await isTrueWithin(2_000, () => gateway.connections === 1);
  expect((await ask(gateway))?.status).toBe(200);
});

test("limits.requests_per_connection: the last answer says close", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { requests_per_connection: 2 } },
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({}).repeat(3));
  const answers = [await client.answer(), await client.answer()];
  const end = await client.end();

  expect(answers.map((told) => told?.fields.get("connection"))).toEqual([undefined, "close"]);
  expect([end, client.unread, blue.arrivals.length]).toEqual(["closed", "", 2]);
});

test("max_conns of a server sends what is above to the next one", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    server: { max_conns: 1 },
  });
  await using client = await connectRaw(gateway);
  client.send(requestText({ path: "/first" }));
  const connection = await blue.request();

  const second = await ask(gateway);
  connection.reply(200, "blue");
  const first = await client.answer();

  expect([first?.body, second?.body]).toEqual(["blue", "green answered 200\n"]);
});
