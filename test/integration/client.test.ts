import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { connectFull } from "../support/full-client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, OK } from "../support/server-script.ts";
import { standsStill } from "../support/waits.ts";

test.each(["leave", "reset", "finish"] as const)(
  "a client that goes (%s) before its answer is logged as 499 and cancels the request",
  async (goes) => {
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    client[goes]();
    await connection.end();

    const record = await gateway.exchange();
    expect(storyOf(record)).toEqual(["GET / 499 CLIENT_GONE", "blue head aborted - return"]);
    expect(record.attempts[0]?.why).toBe("was left by the client: nobody waits for an answer");
    expect([gateway.happened, green.arrivals]).toEqual([[], []]);
  },
);

test("a client that goes within its answer leaves the server without a strike", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  await client.until("half");
  client.leave();
  await connection.end();

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 200 CLIENT_GONE",
    "blue body aborted 200 return",
  ]);
});

test("a client that goes within its body leaves the server without a strike", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  const connection = await blue.accept();
  await connection.until("half");
  client.reset();
  await connection.end();

  expect(storyOf(await gateway.exchange())).toEqual([
    "PUT / 499 CLIENT_GONE",
    "blue send aborted - return",
  ]);
  expect([gateway.happened, green.arrivals]).toEqual([[], []]);
});

test("pipelined requests are answered in order, also where the first is slow", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(["/1", "/2", "/3"].map((path) => requestText({ path })).join(""));
  const connection = await blue.request();
  const early = blue.accepted;
  for (const body of ["one", "two", "three"]) {
    connection.reply(200, body);
    if (body !== "three") await connection.request();
  }
  const bodies = [];
  for (let n = 0; n < 3; n += 1) bodies.push((await client.answer())?.body);

  expect([early, bodies]).toEqual([1, ["one", "two", "three"]]);
});

test("pipelined requests with bodies are taken apart at the right byte", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  const chunked =
    "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const plain = requestText({ method: "POST", path: "/1", body: "GET /no HTTP/1.1\r\n\r\n" });
  const text = `${plain}${chunked}${requestText({ path: "/3" })}`;
  for (const byte of text) {
    client.send(byte);
    await setImmediate();
  }
  for (let n = 0; n < 3; n += 1) await client.answer();

  expect(blue.arrivals.map(({ path, body }) => [path, body])).toEqual([
    ["/1", "GET /no HTTP/1.1\r\n\r\n"],
    ["/2", "abc"],
    ["/3", ""],
  ]);
});

test("behind an answer with Connection: close no pipelined request is served", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  const last = requestText({ path: "/last", fields: { Connection: "close" } });
  client.send(`${requestText({ path: "/1" })}${last}${requestText({ path: "/no" })}`);
  const answers = [await client.answer(), await client.answer()];
  const end = await client.end();

  expect(answers.map((told) => told?.fields.get("connection"))).toEqual([undefined, "close"]);
  expect([end, client.unread]).toEqual(["closed", ""]);
  expect(blue.arrivals.map(({ path }) => path)).toEqual(["/1", "/last"]);
});

test("an answer with Connection: close survives what the client still sends", async () => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  for (let round = 0; round < 20; round += 1) {
    await using client = await connectRaw(gateway);
    client.send(requestText({ fields: { Connection: "close" } }));
    const more = requestText({ path: "/no" }).repeat(1_000);
    for (let turn = 0; turn < round; turn += 1) {
      client.send(more);
      await setImmediate();
    }
    const told = await client.answer();
    const end = await client.end();

    expect([told?.body, end]).toEqual(["blue answered 200\n", "closed"]);
  }
});

test.each([
  ["without keep-alive", "", "close"],
  ["with keep-alive", "Connection: keep-alive\r\n", "keep-alive"],
])("a client of HTTP/1.0 %s is answered with Connection: %s", async (_, field, connection) => {
  await using blue = await startScriptedServer([OK], { name: "blue" });
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(`GET / HTTP/1.0\r\nHost: a\r\n${field}\r\n`);
  const told = await client.answer();

  expect([told?.startLine, told?.fields.get("connection"), told?.body]).toEqual([
    "HTTP/1.1 200 Scripted",
    connection === "keep-alive" ? "keep-alive" : "close",
    "blue answered 200\n",
  ]);
});

test("a client of HTTP/1.0 gets a chunked answer without chunks, and no 1xx", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  const connection = await blue.request();
  connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  connection.send("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  const told = await client.answer();

  expect(told?.informational).toEqual([]);
  expect([told?.body, told?.complete]).toEqual(["abcdef", true]);
  expect([told?.fields.get("transfer-encoding"), told?.fields.get("connection")]).toEqual([
    undefined,
    "close",
  ]);
});

test("103 and other 1xx reach a client of HTTP/1.1, and the final answer behind them", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  connection.send(`HTTP/1.1 100 Continue\r\n\r\n${hints}HTTP/1.1 102 Processing\r\n\r\n${hints}`);
  connection.reply(200, "final");
  const told = await client.answer();

  expect([told?.informational, told?.status, told?.body]).toEqual([[103, 102, 103], 200, "final"]);
});

test.each([
  ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"],
  ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", undefined],
  ["GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", undefined],
  ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "5"],
])("%s with %j has no body, and the connection goes on", async (method, text, length) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({ method }));
  const connection = await blue.request();
  connection.send(text);
  const first = await client.answer(method);
  client.send(requestText({ path: "/next" }));
  await connection.request();
  connection.reply(200, "next");
  const second = await client.answer();

  expect([first?.fields.get("content-length"), first?.fields.get("transfer-encoding")]).toEqual([
    length,
    undefined,
  ]);
  expect(second?.body).toBe("next");
});

test.each([
  ["events without a length", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", false],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true],
])("%s are passed on as they come", async (_, head, isChunked) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send(head);
  await client.until("\r\n\r\n");
  const pieces = [];
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    connection.send(isChunked ? `9\r\n${event}\r\n` : event);
    pieces.push(await client.until(`${event}\r\n`));
  }
  if (isChunked) connection.send("0\r\n\r\n");
  else connection.finish();
  await client.until("0\r\n\r\n");

  expect(pieces).toEqual(["9\r\ndata: 1\n\n\r\n", "9\r\ndata: 2\n\n\r\n"]);
});

test("a client that stops reading slows its server down instead of filling the gateway", async () => {
  const megabytes = 64;
  const body = Buffer.alloc(megabytes * 1024 * 1024, "x");
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  client.pause();
  connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
  connection.sendInPieces(body);
  await standsStill(() => connection.pendingBytes);
  const held = connection.pendingBytes;
  client.resume();
  await client.until("\r\n\r\n");
  const read = await client.bytes(body.length);

  // Four socket buffers of the kernel take up to 6 MB each.
  expect(held).toBeGreaterThan(body.length - 30 * 1024 * 1024);
  expect(read.length).toBe(body.length);
});

test("a client that stops reading is let go after limits.send_idle, and is no strike", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { send_idle: "5s" } },
    clock,
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  client.pause();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
  connection.sendInPieces(Buffer.alloc(64 * 1024 * 1024));
  await standsStill(() => connection.pendingBytes);
  await clock.advance(4_000);
  const before = gateway.connections;
  await clock.advance(2_000);
  await connection.end();

  expect([before, gateway.connections]).toEqual([1, 0]);
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 200 CLIENT_GONE",
    "blue body aborted 200 return",
  ]);
});

test("a client that ends its side once it is owed no more still gets the last bytes", async () => {
  const body = "x".repeat(8 * 1024);
  await using blue = await startScriptedServer([{ does: "answer", status: 200, body }]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  const { client, count } = await connectFull(gateway);
  await using _client = client;

  client.finish();
  await standsStill(() => gateway.connections);
  client.resume();
  let whole = 0;
  while ((await client.answer())?.complete === true) whole += 1;

  expect([whole, await client.end()]).toEqual([count, "closed"]);
});

test("a kept answer that nobody reads yet does not time out at its server", async () => {
  const clock = new ManualClock();
  const body = "blue is sorry. ".repeat(20_000);
  await using blue = await startScriptedServer([{ ...answer(503), body }]);
  await using green = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { timeouts: { read: "5s" } },
    clock,
  });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  await green.request();
  const told = await clock.runUntil(client.answer());

  expect([told?.status, told?.body === body]).toEqual([503, true]);
});

test("a unix socket serves as well as a port, on both sides", async () => {
  const path = `/tmp/understudy-test-${process.pid}`;
  await using blue = await startHandServer({ path: `${path}-blue.sock` });
  await using gateway = await startTestGateway({
    pools: { blue: [{ path: `${path}-blue.sock` }] },
    top: { listen: [{ address: `unix:${path}.sock` }] },
  });
  await using client = await connectRaw({ path: `${path}.sock` });

  client.send(requestText({}));
  const connection = await blue.accept();
  const request = await connection.request();
  connection.reply(200, "over unix");
  const told = await client.answer();

  expect(told?.body).toBe("over unix");
  expect(request.fields.get("forwarded")).toBe("for=unknown;host=gateway.test;proto=http");
  expect(gateway.address).toBe(`unix:${path}.sock`);
});

test("a truncated answer over a unix socket ends the connection and nothing else", async () => {
  const path = `/tmp/understudy-test-${process.pid}-cut.sock`;
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { listen: [{ address: `unix:${path}` }] },
  });
  await using client = await connectRaw({ path });

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  await client.until("half");
  connection.reset();
  await client.end();

  const told = ask({ path });
  const next = await blue.request();
  next.reply(200, "alive");
  expect((await told)?.body).toBe("alive");
  expect(storyOf(await gateway.exchange())[0]).toBe("GET / 200 SERVER_FAILED");
});

test("an answer is not cut to look whole where its client ends its side too early", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("GET / HTTP/1.0\r\n\r\n");
  const connection = await blue.request();
  connection.send("HTTP/1.1 200 OK\r\n\r\nhalf of it");
  await client.until("half of it");
  client.finish();

  // To a client of HTTP/1.0 an end in order is the end of the body.
  expect(await client.end()).toBe("reset");
  expect((await gateway.exchange()).error).toBe("CLIENT_GONE");
});
