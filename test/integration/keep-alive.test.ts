import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { type HandConnection, type HandServer, startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, type RawConnection, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK, RESET_REUSED } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

test("requests one after the other share a connection to the server", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  for (const path of ["/1", "/2", "/3"]) {
    client.send(requestText({ path }));
    await client.answer();
  }

  expect(blue.arrivals.map(({ reused }) => reused)).toEqual([false, true, true]);
  expect(gateway.exchanges.map(storyOf)).toEqual([
    ["GET /1 200", "blue body ok 200 return"],
    ["GET /2 200", "blue reused body ok 200 return"],
    ["GET /3 200", "blue reused body ok 200 return"],
  ]);
});

test("keepalive.max_idle: 0 gives every request a connection of its own", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { keepalive: { max_idle: 0 } },
  });
  await using client = await connectRaw(gateway);

  for (const path of ["/1", "/2"]) {
    client.send(requestText({ path }));
    await client.answer();
  }

  expect(blue.arrivals.map(({ reused }) => reused)).toEqual([false, false]);
});

test("a reused connection that dies is dialled anew at the same server, uncounted", async () => {
  await using blue = await startScriptedServer([OK, RESET_REUSED, OK], { name: "blue" });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({ path: "/1" }));
  await client.answer();
  client.send(requestText({ method: "PUT", path: "/2", body: "again" }));
  const second = await client.answer();

  expect(second?.body).toBe("blue answered 200\n");
  expect(gateway.exchanges.map(storyOf)[1]).toEqual([
    "PUT /2 200",
    "blue reused head reset 502 redial",
    "blue body ok 200 return",
  ]);
  expect(blue.arrivals.map(({ body }) => body)).toEqual(["", "again", "again"]);
  expect([green.arrivals, gateway.happened]).toEqual([[], []]);
});

test.each(["reset", "finish"] as const)(
  "a POST that was written to a reused connection that dies (%s) gets 502, uncounted",
  async (ends) => {
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK], { name: "green" });
    await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
    await using client = await connectRaw(gateway);
    const connection = await servedOnce(blue, client);

    client.send(requestText({ method: "POST", path: "/2", body: "once" }));
    await connection.request();
    connection[ends]();
    const told = await client.answer();

    expect(told?.status).toBe(502);
    expect(storyOf(await gateway.exchange(1))).toEqual([
      "POST /2 502 SERVER_FAILED",
      `blue reused head ${ends === "reset" ? "reset" : "closed"} 502 return`,
    ]);
    expect([green.arrivals, gateway.happened]).toEqual([[], []]);
  },
);

test("a server that died on a reused connection and on the new one is a failure", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client);

  client.send(requestText({ path: "/2" }));
  await connection.request();
  connection.reset();
  const redialled = await blue.request();
  redialled.reset();
  await client.answer();

  expect(storyOf(await gateway.exchange(1))).toEqual([
    "GET /2 200",
    "blue reused head reset 502 redial",
    "blue head reset 502 counted next",
    "green body ok 200 return",
  ]);
});

test("a connection that the server has closed while idle carries no request any more", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client);
  connection.finish();
  await connection.end();

  client.send(requestText({ method: "POST", path: "/2", body: "once" }));
  const fresh = await blue.request();
  fresh.reply(200);
  await client.answer();

  expect(storyOf(await gateway.exchange(1))).toEqual(["POST /2 200", "blue body ok 200 return"]);
});

test("a POST rides no used connection for a minute after its server closed an idle one", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client);
  connection.finish();
  await connection.end();

  for (const path of ["/2", "/3"]) {
    client.send(requestText({ method: "POST", path, body: "x" }));
    const fresh = await blue.request();
    fresh.reply(200);
    await client.answer();
  }
  await clock.advance(60_100);
  await using later = await connectRaw(gateway);
  const trusted = await servedOnce(blue, later);
  later.send(requestText({ method: "POST", path: "/5", body: "x" }));
  await trusted.request();
  trusted.reply(200);
  await later.answer();

  expect(gateway.exchanges.map(storyOf).slice(1)).toEqual([
    ["POST /2 200", "blue body ok 200 return"],
    ["POST /3 200", "blue body ok 200 return"],
    [expect.stringContaining("GET"), "blue body ok 200 return"],
    ["POST /5 200", "blue reused body ok 200 return"],
  ]);
});

test("bytes that nobody asked for end an idle connection and answer nobody", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client);
  connection.reply(200, "poison");
  await connection.end();

  client.send(requestText({ path: "/2" }));
  const fresh = await blue.request();
  fresh.reply(200, "clean");
  const told = await client.answer();

  expect(told?.body).toBe("clean");
});

test("bytes behind a complete answer end the connection and reach nobody", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({ path: "/1" }));
  const connection = await blue.request();
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
  connection.send(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
  const first = await client.answer();
  await connection.end();
  client.send(requestText({ path: "/2" }));
  const fresh = await blue.request();
  fresh.reply(200, "second");
  const second = await client.answer();

  expect([first?.body, second?.body]).toEqual(["first", "second"]);
});

test.each([
  ["without a word of its server", "", 4_100],
  ["whose server closes after 3 s", "Keep-Alive: timeout=3\r\n", 2_100],
])("a POST rides no connection %s that idled too long", async (_, field, idleMs) => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { keepalive: { idle: "60s" } },
    clock,
  });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client, field);

  await clock.advance(idleMs - 200);
  client.send(requestText({ method: "POST", path: "/young", body: "x" }));
  await connection.request();
  connection.reply(200, "", field);
  await client.answer();
  await clock.advance(idleMs);
  client.send(requestText({ method: "POST", path: "/old", body: "x" }));
  const fresh = await blue.request();
  fresh.reply(200);
  await client.answer();

  expect(gateway.exchanges.map(storyOf).slice(1)).toEqual([
    ["POST /young 200", "blue reused body ok 200 return"],
    ["POST /old 200", "blue body ok 200 return"],
  ]);
});

test("an idle connection is closed after keepalive.idle", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client);

  await clock.advance(3_900);
  const before = blue.openConnections;
  await clock.advance(200);
  await connection.end();

  expect(before).toBe(1);
});

test("an idle connection is closed before the server that announced a time closes it", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { keepalive: { idle: "60s" } },
    clock,
  });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client, "Keep-Alive: timeout=5\r\n");

  await clock.advance(3_900);
  const before = blue.openConnections;
  await clock.advance(200);
  await connection.end();

  expect(before).toBe(1);
});

test("no more than keepalive.max_idle connections are kept", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { keepalive: { max_idle: 2 } },
  });

  const clients = await Promise.all([1, 2, 3, 4].map(async () => await connectRaw(gateway)));
  for (const client of clients) client.send(requestText({}));
  const connections = await Promise.all(clients.map(async () => await blue.request()));
  for (const connection of connections) connection.reply(200);
  await Promise.all(clients.map(async (client) => await client.answer()));

  expect(await isTrueWithin(2_000, () => blue.openConnections === 2)).toBe(true);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

test.each([
  ["says close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
  ["speaks HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  [
    "frames its body twice",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ],
])("the connection of a server that %s is not used again", async (_, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send(text);
  const told = await client.answer();

  expect(told?.body).toBe("ok");
  await connection.end();
});

/** The connection that the first request went over, now idle. */
async function servedOnce(
  server: HandServer,
  client: RawConnection,
  field = "",
): Promise<HandConnection> {
  client.send(requestText({ path: "/1" }));
  const connection = await server.request();
  connection.reply(200, "", field);
  await client.answer();
  return connection;
}

test("a server that announces no time at all is not asked to keep its connection", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  const connection = await servedOnce(blue, client, "Keep-Alive: timeout=0\r\n");

  expect(await connection.end()).toBe("closed");
});
