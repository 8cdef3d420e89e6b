import { describe, expect, test } from "vitest";
import type { Lookup } from "../../src/proxy/resolver.ts";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, HANG, OK } from "../support/server-script.ts";

describe("timeouts.total", () => {
  const group = { timeouts: { total: "2s", read: "10s" } };

  test("cuts a running attempt, and no further one begins", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([HANG]);
    await using green = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group,
      clock,
    });

    const told = await clock.runUntil(ask(gateway));

    expect(told?.status).toBe(504);
    expect(green.arrivals).toEqual([]);
    const record = await gateway.exchange();
    expect(storyOf(record)).toEqual([
      "GET / 504 SERVER_TIMEOUT",
      "blue head timeout 504 counted return",
    ]);
    expect(record.attempts[0]?.why).toContain("the time for this exchange is up");
  });

  test("ends a dial for good: a connection that stands too late carries no request", async () => {
    const clock = new ManualClock();
    let answerLookup = (): void => {};
    const lookup: Lookup = (_, done) => {
      answerLookup = () => done(null, ["127.0.0.1"]);
    };
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({
      pools: { blue: [{ url: `http://blue.test:${blue.port}` }] },
      group: { timeouts: { total: "1s", connect: "10s" } },
      clock,
      lookup,
    });

    const told = await clock.runUntil(ask(gateway, { method: "POST", body: "once" }));
    answerLookup();
    await clock.advance(5_000);

    expect([told?.status, blue.accepted]).toEqual([504, 0]);
  });

  test("cuts an answer that goes on and on", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, group, clock });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    for (let second = 0; second < 3; second += 0.5) {
      connection.send("more");
      await clock.advance(500);
    }
    const how = await client.end();

    expect(how).toBe("reset");
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200 SERVER_TIMEOUT",
      "blue body timeout 200 return",
    ]);
  });

  test("is not held against a server that waits for a slow client's body", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group,
      clock,
    });
    await using client = await connectRaw(gateway);

    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    const connection = await blue.accept();
    await connection.until("\r\n\r\n");
    const told = await clock.runUntil(client.answer());

    expect(told?.status).toBe(504);
    expect(gateway.happened).toEqual([]);
  });

  test("leaves alone what ends in time", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, group, clock });
    await using client = await connectRaw(gateway);

    for (let round = 0; round < 3; round += 1) {
      client.send(requestText({}));
      await client.answer();
      await clock.advance(1_500);
    }

    expect(gateway.exchanges.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe("next_upstream.timeout", () => {
  const group = { next_upstream: { timeout: "2s" }, timeouts: { read: "3s" } };

  test("cuts a running attempt, and no further one begins", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([HANG]);
    await using green = await startScriptedServer([OK]);
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group,
      clock,
    });

    const told = await clock.runUntil(ask(gateway));

    expect([told?.status, green.arrivals]).toEqual([504, []]);
    const { attempts } = await gateway.exchange();
    expect(attempts[0]?.totalMs).toBeLessThan(2_200);
  });

  test("gives the last real answer where the next server takes too long", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([answer(503)], { name: "blue" });
    await using green = await startScriptedServer([HANG]);
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group,
      clock,
    });

    const told = await clock.runUntil(ask(gateway));

    expect([told?.status, told?.body]).toEqual([503, "blue answered 503\n"]);
  });

  test("does not touch an answer that is on its way", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, group, clock });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    for (let piece = 0; piece < 5; piece += 1) {
      connection.send("more");
      await clock.advance(2_000);
    }
    const told = await client.answer();

    expect(told?.body).toBe("more".repeat(5));
  });
});

describe("an answer that begins before the request is complete", () => {
  test("may take as long as it makes progress", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);

    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf.");
    const connection = await blue.accept();
    await connection.until("half.");
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n");
    for (let piece = 0; piece < 10; piece += 1) {
      await clock.advance(2_000);
      connection.send("more");
    }
    const told = await client.answer();

    expect([told?.complete, told?.body]).toEqual([true, "more".repeat(10)]);
  });

  test("is not cut because its server waits for the client", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);

    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf.");
    const connection = await blue.accept();
    await connection.until("half.");
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    await client.until("\r\n\r\n");
    await clock.advance(20_000);
    client.send("half.");
    await connection.until("half.");
    connection.send("done");

    expect(await client.until("done")).toBe("done");
    expect(gateway.happened).toEqual([]);
  });
});

test("a gateway that stood still blames nobody: neither its clients nor its servers", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] }, clock });
  await using client = await connectRaw(gateway);
  await using slow = await connectRaw(gateway);
  slow.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\no");
  const other = await blue.accept();
  await other.until("\r\n\r\no");
  client.send(requestText({}));
  const connection = await blue.request();

  clock.stall(600_000);
  await clock.advance(1_000);
  connection.reply(200, "late");
  const told = await client.answer();
  slow.send("k");
  await other.until("k");
  other.reply(200, "late");
  const toldSlow = await slow.answer();

  expect([told?.body, toldSlow?.body]).toEqual(["late", "late"]);
  expect([gateway.happened, green.arrivals]).toEqual([[], []]);
});
