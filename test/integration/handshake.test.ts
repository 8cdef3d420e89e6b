import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { openTunnel, SWITCHED, UPGRADE, upgradeText } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, type Behaviour, CLOSE, ECHO, HANG, RESET } from "../support/server-script.ts";
import { holdClosedPort } from "../support/unreachable-port.ts";

const sends = (bytes: string): Behaviour => ({ does: "send", bytes, end: "close" });

describe("a handshake goes on to the next server", () => {
  test.each<[string, Behaviour, string]>([
    ["closes", CLOSE, "blue head closed 502 counted next"],
    ["resets", RESET, "blue head reset 502 counted next"],
    ["hangs", HANG, "blue head timeout 504 counted next"],
    ["answers 503", answer(503), "blue head status 503 counted next"],
    ["answers no HTTP", sends("101 Switching\r\n\r\n"), "blue head malformed 502 counted next"],
    [
      "switches to another protocol",
      sends(SWITCHED.replace("websocket", "other")),
      "blue head malformed 101 counted next",
    ],
  ])("where the first one %s", async (_, does, first) => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([does], { openAtEnd: "close" });
    await using green = await startScriptedServer([ECHO], { name: "green" });
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      clock,
    });
    await using client = await connectRaw(gateway);

    client.send(UPGRADE);
    await clock.runUntil(client.until("green is here\n"));
    client.send("echo");
    await client.until("echo");
    client.leave();

    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 101, closed by client",
      first,
      "green upgrade ok 101 return",
    ]);
  });

  test("where the first one refuses the connection", async () => {
    await using blue = await holdClosedPort();
    await using green = await startScriptedServer([ECHO], { name: "green" });
    await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
    await using client = await connectRaw(gateway);

    client.send(UPGRADE);
    await client.until("green is here\n");
    client.leave();

    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 101, closed by client",
      "blue connect refused 502 counted next",
      "green upgrade ok 101 return",
    ]);
  });
});

test.each([
  ["another protocol", SWITCHED.replace("websocket", "other")],
  ["no protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["a protocol that Connection does not name", SWITCHED.replace("Connection: Upgrade\r\n", "")],
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
    "GET / 101, closed by client",
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

  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 101, closed by client",
    "blue upgrade ok 101 return",
  ]);
});

test("a wrong Sec-WebSocket-Accept is for the client to judge", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  const connection = await blue.request();
  connection.send(SWITCHED.replace("\r\n\r\n", "\r\nSec-WebSocket-Accept: nonsense\r\n\r\n"));
  const told = await client.answer();
  client.leave();
  await connection.end();

  expect([told?.status, told?.fields.get("sec-websocket-accept")]).toEqual([101, "nonsense"]);
});

test.each([401, 403, 404, 426, 200])(
  "an upgrade that is answered %d is an ordinary exchange, and the connection goes on",
  async (status) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(UPGRADE);
    const connection = await blue.request();
    connection.reply(status, "no sockets here", "Upgrade: websocket\r\nX-Why: told\r\n");
    const refused = await client.answer();
    client.send(requestText({ path: "/next" }));
    await connection.request();
    connection.reply(200, "next");
    const next = await client.answer();

    expect([refused?.status, refused?.body, refused?.fields.get("x-why"), next?.body]).toEqual([
      status,
      "no sockets here",
      "told",
      "next",
    ]);
  },
);

test.each([
  ["HTTP/1.0", UPGRADE.replace("HTTP/1.1", "HTTP/1.0")],
  ["a method other than GET", UPGRADE.replace("GET", "OPTIONS")],
  ["a body", UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi")],
  ["a lack of a key", UPGRADE.replace("Sec-WebSocket-Key", "X-Key")],
  ["a lack of Connection: upgrade", UPGRADE.replace("Connection: Upgrade", "X: y")],
  ["h2c", upgradeText({ Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c" })],
  ["a list of protocols", upgradeText({ Upgrade: "h2c, websocket" })],
  ["a protocol that may be HTTP again", upgradeText({ Upgrade: "TLS/1.2" })],
  ["a version of websocket", upgradeText({ Upgrade: "websocket/13" })],
  ["a protocol that the group does not list", upgradeText({ Upgrade: "irc/6.9" })],
])("an upgrade with %s is an ordinary request, and a 101 to it is an error", async (_, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using asking = await connectRaw(gateway);
  await using tricked = await connectRaw(gateway);

  asking.send(text);
  const connection = await blue.accept();
  const { fields } = await connection.request();
  connection.reply(200);
  const told = await asking.answer();
  tricked.send(text);
  await connection.request();
  connection.send(SWITCHED);
  const refused = await tricked.answer();
  await connection.end();

  expect([fields.get("upgrade"), fields.get("connection"), told?.status, refused?.status]).toEqual([
    undefined,
    undefined,
    200,
    502,
  ]);
});

test("a group names the protocols that it lets through, in place of websocket", async () => {
  await using blue = await startHandServer();
  const group = { upgrade: ["IRC/6.9"] };
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, group });
  await using client = await connectRaw(gateway);

  client.send(UPGRADE);
  const connection = await blue.accept();
  const socket = await connection.request();
  connection.reply(200);
  await client.answer();
  client.send(upgradeText({ Upgrade: "irc/6.9" }));
  const chat = await connection.request();
  connection.send(SWITCHED.replace("websocket", "IRC/6.9"));
  await client.until("\r\n\r\n");
  client.send("PING");
  await connection.until("PING");
  client.leave();
  await connection.end();

  expect([socket.fields.get("upgrade"), chat.fields.get("upgrade")]).toEqual([
    undefined,
    "irc/6.9",
  ]);
});

describe("no request is smuggled past the gateway", () => {
  const HIDDEN = requestText({ path: "/hidden", fields: { "X-Real-IP": "127.0.0.1" } });

  test.each([
    ["that the server refuses", UPGRADE, "HTTP/1.1 426 Upgrade\r\nContent-Length: 0\r\n\r\n"],
    [
      "in a version that the server does not know",
      upgradeText({ "Sec-WebSocket-Version": "777" }),
      "HTTP/1.1 400 No\r\nContent-Length: 0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
    [
      "that the gateway left out",
      upgradeText({ Upgrade: "h2c" }),
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
  ])("behind an upgrade %s", async (_, text, refusal) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(text + HIDDEN);
    const connection = await blue.request();
    const before = connection.unread;
    connection.send(refusal);
    const hidden = await connection.request();
    connection.reply(404);
    await client.answer();
    await client.answer();

    expect([before, hidden.fields.get("x-real-ip")]).toEqual(["", undefined]);
    expect(hidden.fields.get("x-forwarded-for")).toBe("127.0.0.1");
    expect(gateway.exchanges.map(({ target, status }) => `${target} ${status}`)).toEqual([
      `/ ${refusal.slice(9, 12)}`,
      "/hidden 404",
    ]);
  });

  test("as HTTP/2 behind an upgrade to h2c", async () => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(`${upgradeText({ Upgrade: "h2c" })}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
    const connection = await blue.request();
    connection.reply(200);
    const told = [await client.answer(), await client.answer()];
    await client.end();

    expect(told.map((one) => one?.status)).toEqual([200, 505]);
    expect(connection.unread).toBe("");
  });

  test("behind a 101 that nobody asked for", async () => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(`${requestText({ path: "/ask" })}${HIDDEN}`);
    const connection = await blue.request();
    connection.send(`${SWITCHED}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
    await connection.end();
    const next = await blue.request();
    next.reply(404);
    const told = [await client.answer(), await client.answer()];

    expect(told.map((one) => one?.status)).toEqual([502, 404]);
    expect(connection.unread).toBe("");
  });
});

test("the time of a tunnel is that from its request to its end, the handshake counted once", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  client.send(UPGRADE);
  const connection = await blue.request();
  await clock.advance(2_000);
  connection.send(SWITCHED);
  await client.until("\r\n\r\n");

  await clock.advance(5_000);
  client.leave();
  await connection.end();

  expect((await gateway.exchange()).requestTimeMs).toBe(7_000);
});

test("a line is written when an upgrade begins, where that is wanted, and one when it ends", async () => {
  const folder = await mkdtemp(join(tmpdir(), "upgrade-"));
  const file = join(folder, "access.log");
  const format = "$status $upstream_status in=$request_length out=$body_bytes_sent by=$closed_by";
  await using blue = await startHandServer();
  const top = { access_log: { file, format }, log_upgrade_start: true };
  const gateway = await startTestGateway({ pools: { blue: [blue] }, top });
  await using client = await connectRaw(gateway);
  const connection = await openTunnel(client, blue);
  client.send("ping");
  await connection.until("ping");
  connection.send("pong!");
  await client.until("pong!");
  connection.leave();
  await client.end();
  client.finish();
  await gateway[Symbol.asyncDispose]();

  const lines = await readFile(file, "utf8");
  await rm(folder, { recursive: true });

  expect(lines.split("\n")).toEqual([
    `101 101 in=${UPGRADE.length} out=0 by=-`,
    `101 101 in=${UPGRADE.length + 4} out=5 by=server`,
    "",
  ]);
});

test.runIf(process.platform === "linux")(
  "the kernel asks both sides of a silent tunnel after a minute whether they are still there",
  async () => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);
    await openTunnel(client, blue);

    const table = await readFile("/proc/self/net/tcp", "latin1");
    client.leave();

    const waits = table
      .split("\n")
      .flatMap((line) => keepAliveSeconds(line, [gateway.port], [blue.port]));
    expect(waits).toHaveLength(2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60);
  },
);

/** Seconds to the next question on a connection by its own or its peer's port, if it is established. */
function keepAliveSeconds(line: string, own: readonly number[], peer: readonly number[]): number[] {
  const [, local = "", remote = "", state, , timer = ""] = line.trim().split(/\s+/);
  const portOf = (address: string) => Number.parseInt(address.slice(-4), 16);
  const isOurs = own.includes(portOf(local)) || peer.includes(portOf(remote));
  const [kind, jiffies = ""] = timer.split(":");
  if (!isOurs || state !== "01" || kind !== "02") return [];
  return [Number.parseInt(jiffies, 16) / 100];
}
