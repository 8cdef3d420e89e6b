import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { noise } from "../support/noise.ts";
import { connectRaw } from "../support/raw-client.ts";
import { standsStill } from "../support/waits.ts";

const KILO = 1024;

test.each([
  ["413", "closes"],
  ["401", "keeps reading"],
])(
  "an early %s of a server that %s reaches the client that is still sending",
  async (word, how) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
    client.send(noise(100 * KILO));
    const connection = await blue.accept();
    await connection.until("\r\n\r\n");
    connection.reply(Number(word), "no", how === "closes" ? "Connection: close\r\n" : "");
    if (how === "closes") connection.finish();
    const told = await client.answer();

    expect([told?.status, told?.body, told?.fields.get("connection")]).toEqual([
      Number(word),
      "no",
      "close",
    ]);
    expect(storyOf(await gateway.exchange())).toEqual([
      `POST / ${word}`,
      `blue body ok ${word} return`,
    ]);
    expect(await client.end()).toBe("closed");
    expect(gateway.happened).toEqual([]);
  },
);

test("an early answer is not lost when the server resets the connection behind it", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  for (let round = 0; round < 30; round += 1) {
    await using client = await connectRaw(gateway);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
    const connection = await blue.accept();
    await connection.until("\r\n\r\n");
    connection.pause();
    client.send(noise(KILO * KILO));
    for (let turn = 0; turn < round % 5; turn += 1) await setImmediate();
    connection.reply(413, "too much");
    // Closing with bytes unread makes the kernel send a RST.
    connection.leave();
    const told = await client.answer();

    expect([told?.status, told?.body]).toEqual([413, "too much"]);
  }
});

test("what a client still sends behind an early answer is not read as its next request", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  connection.reply(401);
  await client.answer();
  client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  client.finish();

  expect(await client.end()).toBe("closed");
  expect(gateway.exchanges.map(({ target }) => target)).toEqual(["/1"]);
  expect(blue.accepted).toBe(1);
});

test("a server may answer while it reads: both directions flow", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
  const connection = await blue.accept();
  await connection.until("ab");
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nAB");
  await client.until("AB");
  client.send("cd");
  await connection.until("cd");
  connection.send("CD");
  await client.until("CD");
  client.send("ef");
  await connection.until("ef");
  connection.send("EF");
  await client.until("EF");

  expect(storyOf(await gateway.exchange())).toEqual(["POST / 200", "blue body ok 200 return"]);
});

test("100 Continue of the server is passed on, and the body goes to the server once", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(expectingPost(4));
  const connection = await blue.accept();
  const head = await connection.until("\r\n\r\n");
  connection.send("HTTP/1.1 100 Continue\r\n\r\n");
  await client.until("HTTP/1.1 100 Continue\r\nVia: 1.1 understudy\r\n\r\n");
  client.send("body");
  await connection.until("body");
  connection.reply(200);
  await client.until("HTTP/1.1 200");

  expect(head).toContain("\r\nExpect: 100-continue\r\n");
  expect(connection.unread).toBe("");
});

test("a final status in place of 100 Continue reaches the client, which keeps its body", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(expectingPost(4));
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  connection.reply(417, "no");
  const told = await client.answer();

  expect([told?.status, told?.informational, told?.fields.get("connection")]).toEqual([
    417,
    [],
    "close",
  ]);
  expect(storyOf(await gateway.exchange())).toEqual(["POST / 417", "blue body ok 417 return"]);
});

test("a request whose server failed after its 100 Continue moves on without asking again", async () => {
  await using blue = await startHandServer();
  await using green = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send(expectingPost(4).replace("POST", "PUT"));
  const first = await blue.accept();
  await first.until("\r\n\r\n");
  first.send("HTTP/1.1 100 Continue\r\n\r\n");
  await client.until("\r\n\r\n");
  client.send("body");
  await first.until("body");
  first.reset();
  const second = await green.accept();
  const text = await second.until("body");
  second.send("HTTP/1.1 100 Continue\r\n\r\n");
  second.reply(200, "green");
  const told = await client.answer();

  expect(text).not.toContain("Expect");
  expect([told?.status, told?.informational, told?.body]).toEqual([200, [], "green"]);
});

test("a client that does not wait for 100 Continue is served by a server that never says it", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(`${expectingPost(4)}body`);
  const connection = await blue.request();
  connection.reply(200, "ok");
  const told = await client.answer();

  expect([told?.status, told?.informational]).toEqual([200, []]);
});

test("a server that says nothing at all to Expect runs into its own timeout", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);

  client.send(expectingPost(4));
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  const told = await clock.runUntil(client.answer());

  expect(told?.status).toBe(504);
  await connection.end();
});

test("a client that takes its time after 100 Continue is no failure of the server", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);

  client.send(expectingPost(8));
  const connection = await blue.accept();
  await connection.until("\r\n\r\n");
  connection.send("HTTP/1.1 100 Continue\r\n\r\n");
  await client.until("\r\n\r\n");
  await clock.advance(10_000);
  client.send("half");
  await connection.until("half");
  await clock.advance(10_000);
  client.send("half");
  await connection.until("half");
  connection.reply(200, "patient");
  const told = await client.until("patient");

  expect(told).toContain("HTTP/1.1 200");
  expect(gateway.happened).toEqual([]);
});

function expectingPost(length: number): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
}

test("a client that reads nothing of an early answer is let go, also once its body is complete", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    top: { limits: { send_idle: "5s" } },
    clock,
  });
  await using client = await connectRaw(gateway);

  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
  const connection = await blue.accept();
  await connection.until("half");
  client.pause();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
  connection.sendInPieces(Buffer.alloc(64 * KILO * KILO));
  await standsStill(() => connection.pendingBytes);
  client.send("half");
  await connection.until("half");
  await clock.advance(6_000);

  expect(gateway.connections).toBe(0);
  await connection.end();
});
