import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, type RawConnection, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { CLOSE, ECHO, OK } from "../support/server-script.ts";
import { standsStill } from "../support/waits.ts";

const UPGRADE = requestText({
  fields: {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
  },
});
const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

test("bytes go both ways after a 101, also those sent right behind the handshake", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(`${UPGRADE}early`);
  const connection = await blue.accept();
  const head = await connection.until("\r\n\r\n");
  const before = connection.unread;
  connection.send(`${SWITCHED}hello`);
  const told = await client.until("hello");
  await connection.until("early");
  client.send("ping");
  await connection.until("ping");
  connection.send("pong");
  await client.until("pong");
  client.leave();
  await connection.end();

  expect(head).toContain("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  expect(before).toBe("");
  expect(told).toContain("HTTP/1.1 101 Switching Protocols\r\n");
  const record = await gateway.exchange();
  expect(storyOf(record)).toEqual(["GET / 101", "blue upgrade ok 101 return"]);
  expect(record.sentBodyBytes).toBe("hellopong".length);
});

test.each([
  ["client", "server"],
  ["server", "client"],
])("a %s that ends its side still hears what the %s has to say", async (first) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  connection.endByHand();
  connection.send(SWITCHED);
  await client.until("\r\n\r\n");
  const [ends, speaks]: readonly RawConnection[] =
    first === "client" ? [client, connection] : [connection, client];

  ends?.send("goodbye");
  ends?.finish();
  await speaks?.until("goodbye");
  await speaks?.end();
  speaks?.send("last words");
  await ends?.until("last words");
  speaks?.finish();

  expect(await ends?.end()).toBe("closed");
  expect((await gateway.exchange()).status).toBe(101);
});

test("an upgrade that is refused is an ordinary answer, and the connection goes on", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  const connection = await blue.request();
  connection.reply(403, "no sockets here");
  const refused = await client.answer();
  client.send(requestText({ path: "/next" }));
  await connection.request();
  connection.reply(200, "next");
  const next = await client.answer();

  expect([refused?.status, refused?.body, next?.body]).toEqual([403, "no sockets here", "next"]);
});

test("an upgrade moves on while no server has answered", async () => {
  await using blue = await startScriptedServer([CLOSE]);
  await using green = await startScriptedServer([ECHO], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  await client.until("green is here\n");
  client.send("echo");
  await client.until("echo");
  client.leave();

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 101",
    "blue head closed 502 counted next",
    "green upgrade ok 101 return",
  ]);
});

test.each([
  ["another protocol", SWITCHED.replace("websocket", "other")],
  ["no protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
])("a 101 to %s than the client asked for is never passed on", async (_, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  const connection = await blue.request();
  connection.send(text);
  const told = await client.answer();
  await connection.end();

  expect(told?.status).toBe(502);
});

test.each([
  ["expect_pool", "X-App-Pool"],
  ["expect_release", "X-Release-Id"],
])("a 101 of another identity than %s opens no tunnel", async (key, field) => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([ECHO], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    pool: { blue: { [key]: "own" } },
  });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  const connection = await blue.request();
  connection.send(SWITCHED.replace("Upgrade\r\n", `Upgrade\r\n${field}: other\r\n`));
  await client.until("green is here\n");
  client.leave();

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 101",
    "blue head identity 101 counted next",
    "green upgrade ok 101 return",
  ]);
});

test("a 101 that names no identity is taken for the one expected", async () => {
  await using blue = await startScriptedServer([ECHO], { name: "blue" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    pool: { blue: { expect_pool: "blue", expect_release: "v2" } },
  });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  await client.until("blue is here\n");
  client.leave();

  expect(storyOf(await gateway.exchange())).toEqual(["GET / 101", "blue upgrade ok 101 return"]);
});

test.each([
  ["HTTP/1.0", UPGRADE.replace("HTTP/1.1", "HTTP/1.0")],
  ["a method other than GET", UPGRADE.replace("GET", "OPTIONS")],
  ["a body", UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi")],
  ["a lack of a key", UPGRADE.replace("Sec-WebSocket-Key", "X-Key")],
  ["h2c", UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c")],
  ["a protocol other than websocket", UPGRADE.replace("Upgrade: websocket", "Upgrade: TLS/1.2")],
  ["a version of websocket", UPGRADE.replace("Upgrade: websocket", "Upgrade: websocket/13")],
  ["a list of protocols", UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c, websocket")],
])("an upgrade with %s is an ordinary request", async (_, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(text);
  const connection = await blue.accept();
  const { fields } = await connection.request();
  connection.reply(200);
  const told = await client.answer();

  expect([fields.get("upgrade"), fields.get("connection"), told?.status]).toEqual([
    undefined,
    undefined,
    200,
  ]);
});

test.each(["reset", "leave"] as const)(
  "a server that goes after the 101 (%s) ends the client's side, and is no strike",
  async (goes) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);
    client.send(UPGRADE);
    const connection = await blue.request();
    connection.send(SWITCHED);
    await client.until("\r\n\r\n");

    connection[goes]();
    await client.end();
    client.finish();

    expect(storyOf(await gateway.exchange())).toEqual(["GET / 101", "blue upgrade ok 101 return"]);
    expect(gateway.happened).toEqual([]);
  },
);

test("a tunnel without a byte either way is closed after timeouts.tunnel", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { timeouts: { tunnel: "60s" } },
    clock,
  });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const connection = await blue.request();
  connection.send(SWITCHED);
  await client.until("\r\n\r\n");

  await clock.advance(59_000);
  client.send("still here");
  await connection.until("still here");
  await clock.advance(59_000);
  const before = gateway.connections;
  await clock.advance(2_000);
  await Promise.all([client.end(), connection.end()]);

  expect(before).toBe(1);
});

test("a tunnel's slow reader slows the other side down", async () => {
  const bytes = Buffer.alloc(64 * 1024 * 1024, "x");
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const connection = await blue.request();
  connection.send(SWITCHED);
  await client.until("\r\n\r\n");

  client.pause();
  connection.pause();
  connection.sendInPieces(bytes);
  client.sendInPieces(bytes);
  await standsStill(() => connection.pendingBytes + client.pendingBytes);
  const held = [connection.pendingBytes, client.pendingBytes];
  client.resume();
  connection.resume();
  await Promise.all([client.bytes(bytes.length), connection.bytes(bytes.length)]);
  client.leave();
  await connection.end();

  // Four socket buffers of the kernel take up to 6 MB each.
  expect(Math.min(...held)).toBeGreaterThan(bytes.length - 30 * 1024 * 1024);
});

test("a tunnel outlives a failover, and ends when the gateway has stopped for long enough", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    top: { shutdown_timeout: "10s" },
    clock,
  });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const tunnel = await blue.request();
  tunnel.send(SWITCHED);
  await client.until("\r\n\r\n");
  const other = ask(gateway);
  (await blue.request()).reset();
  await other;

  client.send("still here");
  await tunnel.until("still here");
  await clock.runUntil(gateway.stop());
  await Promise.all([client.end(), tunnel.end()]);

  expect(gateway.happened).toEqual(["server-down blue", "failover blue -> green"]);
  expect(clock.now()).toBeGreaterThanOrEqual(10_000);
});

test("a tunnel that shutdown_timeout cuts is given no bytes of the gateway's own", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { shutdown_timeout: "10s" },
    clock,
  });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  connection.send(`${SWITCHED}hello`);
  await client.until("hello");

  await clock.runUntil(gateway.stop());
  await client.end();
  await connection.end();

  expect(client.unread).toBe("");
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 101 STOPPING",
    "blue upgrade aborted 101 return",
  ]);
});
