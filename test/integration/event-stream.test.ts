import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type HandConnection, type HandServer, startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, type RawConnection, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

const HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
const DRAIN = { tunnels: "10s", spread: "0s" };

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

interface Stream extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly gateway: TestGateway;
  readonly blue: HandServer;
  readonly client: RawConnection;
  readonly server: HandConnection;
}

/** A client that reads blue's answer, of which `text` has arrived. */
async function startStream(text: string, group: object = {}): Promise<Stream> {
  const stack = new AsyncDisposableStack();
  const clock = new ManualClock();
  const blue = stack.use(await startHandServer());
  const green = stack.use(await startScriptedServer([OK], { name: "green" }));
  const gateway = stack.use(
    await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group: { drain: DRAIN, ...group },
      clock,
    }),
  );
  const client = stack.use(await connectRaw(gateway));
  client.send(requestText({ path: "/events" }));
  const server = await blue.request();
  server.send(text);
  await client.until(text.slice(text.indexOf("\r\n\r\n") + 4));
  return {
    clock,
    gateway,
    blue,
    client,
    server,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("an event is passed on at once, and no time but timeouts.tunnel ends a silent stream", async () => {
  const timeouts = { read: "3s", total: "20s", tunnel: "60s" };
  await using stream = await startStream(HEAD + chunk("data: 1\n\n"), { timeouts });
  const { clock, client, server, gateway } = stream;

  await clock.advance(59_000);
  server.send(chunk("data: 2\n\n"));
  await client.until(chunk("data: 2\n\n"));
  await clock.advance(59_000);
  const before = gateway.exchanges.length;
  await clock.advance(1_100);
  await client.until("0\r\n\r\n");
  await server.end();

  expect(before).toBe(0);
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET /events 200, closed by idle",
    "blue body ok 200 return",
  ]);
});

test("a stream that falls silent within an event breaks off, and that counts", async () => {
  await using stream = await startStream(HEAD + chunk("data: 1\n"), {
    timeouts: { tunnel: "60s" },
  });
  const { clock, client, server, gateway } = stream;

  await clock.advance(60_100);
  await Promise.all([client.end(), server.end()]);

  const [, attempt] = storyOf(await gateway.exchange());
  expect(attempt).toBe("blue body timeout 200 counted return");
});

describe("a stream of a pool that has drained", () => {
  test("ends behind an event, whole, and its client's connection goes on", async () => {
    await using stream = await startStream(HEAD + chunk("data: 1\n\n"));
    const { clock, client, server, gateway } = stream;

    gateway.switchTo("green");
    await clock.advance(9_900);
    const early = client.unread;
    await clock.advance(200);
    await client.until("0\r\n\r\n");
    await server.end();
    client.send(requestText({}));
    const next = await client.answer();

    expect([early, next?.body]).toEqual(["", "green answered 200\n"]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET /events 200, closed by drain",
      "blue body ok 200 return",
    ]);
  });

  test("is given the rest of the event that has begun, and nothing of the next", async () => {
    await using stream = await startStream(HEAD + chunk("data: 1\r\n"));
    const { clock, client, server, gateway } = stream;

    gateway.switchTo("green");
    await clock.advance(20_000);
    const early = client.unread;
    server.send(chunk("data: 2\r\n\r\ndata: 3\r\n\r\n") + chunk("data: 4\r\n\r\n"));
    const rest = await client.until("0\r\n\r\n");
    await server.end();

    expect([early, rest, client.unread]).toEqual(["", `${chunk("data: 2\r\n\r\n")}0\r\n\r\n`, ""]);
  });

  test("ends with its server's own end where that comes first", async () => {
    await using stream = await startStream(HEAD + chunk("data: 1\n"));
    const { clock, client, server, gateway } = stream;

    gateway.switchTo("green");
    await clock.advance(20_000);
    server.send(`${chunk("data: 2\n")}0\r\n\r\n`);
    await client.until("0\r\n\r\n");

    expect((await gateway.exchange()).closedBy).toBeUndefined();
  });

  test.each([
    ["of another type", HEAD.replace("event-stream", "plain")],
    ["that is compressed", HEAD.replace("\r\n\r\n", "\r\nContent-Encoding: br\r\n\r\n")],
  ])("and an answer %s ends by itself", async (_, head) => {
    await using stream = await startStream(head + chunk("data: 1\n\n"), { timeouts: { read: 0 } });
    const { clock, client, server, gateway } = stream;

    gateway.switchTo("green");
    await clock.advance(100_000);
    const told = client.unread;
    server.send("0\r\n\r\n");
    await client.until("0\r\n\r\n");

    expect(told).toBe("");
    expect((await gateway.exchange()).closedBy).toBeUndefined();
  });
});

test("a stream without chunks ends with its connection", async () => {
  const head = HEAD.replace("Transfer-Encoding: chunked\r\n", "");
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK]);
  const pools = { blue: [blue], green: [green] };
  await using gateway = await startTestGateway({ pools, group: { drain: DRAIN }, clock });
  await using client = await connectRaw(gateway);
  client.send("GET / HTTP/1.0\r\n\r\n");
  const server = await blue.request();
  server.send(`${head}data: 1\n\n`);
  await client.until("data: 1\n\n");

  gateway.switchTo("green");
  await clock.advance(10_100);
  const end = await client.end();
  await server.end();

  expect([end, client.unread]).toEqual(["closed", ""]);
});

test("a stream of a server that went down ends at once", async () => {
  await using stream = await startStream(HEAD + chunk("data: 1\n\n"));
  const { client, server, gateway } = stream;

  gateway.strike(0);
  await client.until("0\r\n\r\n");
  await server.end();

  expect((await gateway.exchange()).closedBy).toBe("failed");
});

test("a gateway that stops ends streams behind an event, and is through with them", async () => {
  await using stream = await startStream(HEAD + chunk("data: 1\n\n"));
  const { clock, client, server, gateway } = stream;

  const stopped = gateway.stop();
  await clock.advance(3_100);
  await client.until("0\r\n\r\n");
  await Promise.all([client.end(), server.end()]);
  client.finish();
  await clock.runUntil(stopped);

  expect((await gateway.exchange()).closedBy).toBe("stop");
  expect(clock.now()).toBeLessThan(10_000);
});

test("a client that leaves its stream leaves nothing behind", async () => {
  await using stream = await startStream(HEAD + chunk("data: 1\n\n"));
  const { clock, client, server, gateway } = stream;

  gateway.switchTo("green");
  client.leave();
  await server.end();
  await clock.advance(20_000);

  expect((await gateway.exchange()).closedBy).toBeUndefined();
});
