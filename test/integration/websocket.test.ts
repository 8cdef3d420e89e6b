import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { connectRaw } from "../support/raw-client.ts";
import { upgradeText } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { closeOf, connectSocket, messages, startSocketServer } from "../support/sockets.ts";

/** An echo behind a gateway, and a client of it. */
async function startEcho(options: object = {}) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startSocketServer(options));
  const gateway = stack.use(await startTestGateway({ pools: { blue: [server] } }));
  const client = stack.use(await connectSocket(gateway, options));
  return {
    server,
    gateway,
    client: client.socket,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("what the ws package sends comes back as it was", () => {
  test.each([
    ["nothing", 0],
    ["a byte", 1],
    ["what fills a short header", 125],
    ["what needs 16 bits", 126],
    ["what needs 64 bits", 65_536],
    ["1 MB", 1024 * 1024],
    ["100 MB", 100 * 1024 * 1024],
  ])("%s", async (_, length) => {
    await using echo = await startEcho();
    const sent = Buffer.alloc(length, "understudy ");

    echo.client.send(sent);
    const [bytes = Buffer.alloc(0)] = await messages(echo.client, 1);
    echo.client.close();
    await closeOf(echo.client);

    // Not toEqual: it would compare 100 million elements one by one.
    expect(bytes.length === length && bytes.equals(sent)).toBe(true);
  });

  test("a message in fragments, with a ping between them", async () => {
    await using echo = await startEcho();
    const ponged = once(echo.client, "pong");

    echo.client.send("one ", { fin: false });
    echo.client.ping("now");
    echo.client.send("message", { fin: true });
    const [told = Buffer.alloc(0)] = await messages(echo.client, 1);
    const [pong]: unknown[] = await ponged;
    echo.client.close();
    await closeOf(echo.client);

    expect([told.toString(), String(pong)]).toEqual(["one message", "now"]);
  });

  test("a ping of the server's, which the client answers", async () => {
    await using echo = await startEcho();
    const { socket } = await echo.server.accept();
    const ponged = once(socket, "pong");

    socket.ping("there?");
    const [pong]: unknown[] = await ponged;
    echo.client.close();
    await closeOf(echo.client);

    expect(String(pong)).toBe("there?");
  });

  test("compressed messages, by an extension that both agreed on", async () => {
    await using echo = await startEcho({ perMessageDeflate: { threshold: 0 } });
    const sent = Buffer.alloc(1024 * 1024, "understudy ");

    echo.client.send(sent);
    const [bytes = Buffer.alloc(0)] = await messages(echo.client, 1);
    const { extensions } = echo.client;
    echo.client.close();
    await closeOf(echo.client);
    const { requestBytes } = await echo.gateway.exchange();

    expect([extensions, bytes.equals(sent)]).toEqual(["permessage-deflate", true]);
    expect(requestBytes).toBeLessThan(100_000);
  });

  test("many small messages, in their order", async () => {
    await using echo = await startEcho();
    const texts = Array.from({ length: 2_000 }, (_, n) => `message ${n}`);

    for (const text of texts) echo.client.send(text);
    const told = await messages(echo.client, texts.length);
    echo.client.close();
    await closeOf(echo.client);

    expect(told.map(String)).toEqual(texts);
  });
});

describe("the end of a WebSocket", () => {
  test.each([
    [1000, "done"],
    [1001, ""],
    [1008, "policy"],
    [1012, "own restart"],
    [4999, "my own"],
  ])("with %d of the server's reaches the client as it was", async (code, reason) => {
    await using echo = await startEcho();
    const { socket } = await echo.server.accept();

    socket.close(code, reason);

    expect(await closeOf(echo.client)).toEqual([code, reason]);
    expect((await echo.gateway.exchange()).closedBy).toBe("server");
  });

  test("with a code of the client's reaches the server as it was", async () => {
    await using echo = await startEcho();
    const { socket } = await echo.server.accept();
    const closed = closeOf(socket);

    echo.client.close(4000, "bye");

    expect(await Promise.all([closed, closeOf(echo.client)])).toEqual([
      [4000, "bye"],
      [4000, "bye"],
    ]);
    expect((await echo.gateway.exchange()).closedBy).toBe("client");
  });

  test.each(["client", "server"] as const)(
    "without a word of the %s's is the other's end at once",
    async (side) => {
      await using echo = await startEcho();
      const { socket } = await echo.server.accept();
      const [leaves, stays]: readonly WebSocket[] =
        side === "client" ? [echo.client, socket] : [socket, echo.client];
      const closed = stays === undefined ? undefined : closeOf(stays);

      leaves?.terminate();

      expect(await closed).toEqual([1006, ""]);
      expect((await echo.gateway.exchange()).closedBy).toBe(side);
    },
  );
});

test("a client that ends its side behind a message still gets the answer to it", async () => {
  await using echo = await startEcho();
  const { socket: server } = await echo.server.accept();

  echo.client.send("last words");
  streamOf(echo.client).end();
  const [told = ""] = (await messages(echo.client, 1)).map(String);

  expect([told, await closeOf(echo.client), await closeOf(server)]).toEqual([
    "last words",
    [1006, ""],
    [1006, ""],
  ]);
  expect((await echo.gateway.exchange()).closedBy).toBe("client");
});

test("a message in one packet with the handshake, and one with the 101, arrive", async () => {
  await using server = await startSocketServer({ greeting: "welcome" });
  await using gateway = await startTestGateway({ pools: { blue: [server] } });
  await using client = await connectRaw(gateway);

  client.send(`${upgradeText()}\x81\x82\x00\x00\x00\x00hi`);
  const { socket } = await server.accept();
  const [told = ""] = (await messages(socket, 1)).map(String);
  await client.until("\x81\x07welcome");
  await client.until("\x81\x02hi");
  client.leave();
  await closeOf(socket);

  expect(told).toBe("hi");
});

test("clients of a pool that has drained are told 1012, and come back to the other", async () => {
  const clock = new ManualClock();
  await using blue = await startSocketServer();
  await using green = await startSocketServer({ greeting: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { drain: { tunnels: "5s", spread: "1s" } },
    clock,
  });
  await using before = await connectSocket(gateway);
  const { socket } = await blue.accept();
  const closed = Promise.all([closeOf(before.socket), closeOf(socket)]);

  gateway.switchTo("green");
  await clock.advance(6_100);
  const codes = await closed;
  await using after = await connectSocket(gateway);
  const [greeting] = await messages(after.socket, 1);
  after.socket.close();
  await closeOf(after.socket);

  expect(codes).toEqual([
    [1012, ""],
    [1012, ""],
  ]);
  expect(String(greeting)).toBe("green");
  expect(storyOf(await gateway.exchange())[0]).toBe("GET / 101, closed by drain");
});

test("a client of a server that went down is told 1012 at once", async () => {
  await using blue = await startSocketServer();
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectSocket(gateway);

  gateway.strike(0);

  expect(await closeOf(client.socket)).toEqual([1012, ""]);
});

/** The connection beneath a WebSocket of the ws package, which it keeps to itself. */
function streamOf(socket: WebSocket): Duplex {
  return Reflect.get(socket, "_socket");
}
