import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { ANSWER_TO_GOODBYE, frame, GOODBYE } from "../support/frames.ts";
import { type GatewaySetup, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type HandConnection, type HandServer, startHandServer } from "../support/hand-server.ts";
import { openTunnel, SWITCHED, upgradeText } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectMany, connectRaw, type RawConnection } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { isTrueWithin, standsStill } from "../support/waits.ts";

const DRAIN = { tunnels: "60s", spread: "30s", grace: "2s" };

/** Blue, driven by hand, is the primary; green is there to take over. */
async function startBlueGreen(setup: GatewaySetup = {}) {
  const stack = new AsyncDisposableStack();
  const clock = new ManualClock();
  const blue = stack.use(await startHandServer());
  const green = stack.use(await startScriptedServer([OK], { name: "green" }));
  const gateway = stack.use(
    await startTestGateway({
      pools: { blue: [blue], green: [green] },
      group: { drain: DRAIN },
      random: () => 0.5,
      clock,
      ...setup,
    }),
  );
  return { clock, blue, gateway, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Bytes of the server that have arrived at the client. */
async function pass(server: HandConnection, client: RawConnection, bytes: Buffer): Promise<string> {
  server.send(bytes);
  return await client.bytes(bytes.length);
}

/** The client answers the goodbye, the server closes as it should, then the client does. */
async function part(client: RawConnection, server: HandConnection): Promise<void> {
  client.send(ANSWER_TO_GOODBYE);
  await server.until(ANSWER_TO_GOODBYE);
  server.finish();
  await client.end();
  client.finish();
  await server.end();
}

describe("after a switch", () => {
  test("a WebSocket stays for drain.tunnels, is told 1012, and both sides close in order", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);

    gateway.switchTo("green");
    await clock.advance(59_900);
    await pass(server, client, frame({ length: 5 }));
    const before = [gateway.tunnels, client.unread];
    await clock.advance(15_200);
    const told = await client.bytes(GOODBYE.length);
    server.send(frame({ length: 5 }));
    await part(client, server);

    expect([before, told, client.unread]).toEqual([[["blue 1", "green 0"], ""], GOODBYE, ""]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 101, closed by drain",
      "blue upgrade ok 101 return",
    ]);
    expect(gateway.happened).toEqual(["switched blue -> green", "drained blue"]);
  });

  test("the goodbye waits for the end of the server's frame, and what follows it stays behind", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    const fragments = [frame({ fin: false, length: 70_000 }), frame({ opcode: 0, length: 10 })];
    const [first = Buffer.alloc(0), second] = fragments;
    await pass(server, client, first.subarray(0, 3));

    gateway.switchTo("green");
    await clock.advance(80_000);
    const early = client.unread;
    await pass(server, client, first.subarray(3, 50_000));
    server.send(Buffer.concat([first.subarray(50_000), second ?? first]));
    const told = await client.bytes(20_010 + GOODBYE.length);
    await part(client, server);

    expect([early, told.slice(-GOODBYE.length), client.unread]).toEqual(["", GOODBYE, ""]);
  });

  test("a frame that is never finished is cut, half a minute after its last byte", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    await pass(server, client, frame({ length: 9 }).subarray(0, 5));

    gateway.switchTo("green");
    await clock.advance(100_000);
    await pass(server, client, Buffer.from("x"));
    await clock.advance(29_000);
    const before = gateway.connections;
    await clock.advance(1_100);
    await Promise.all([client.end(), server.end()]);

    expect([before, client.unread]).toEqual([1, ""]);
    expect((await gateway.exchange()).closedBy).toBe("drain");
  });

  test("a client that does not answer is closed after drain.grace, and so is its server", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    server.endByHand();

    gateway.switchTo("green");
    await clock.advance(76_000);
    await client.bytes(GOODBYE.length);
    const before = gateway.exchanges.length;
    await clock.advance(2_100);
    await Promise.all([client.end(), server.end()]);
    await clock.advance(2_100);
    server.leave();

    expect([before, gateway.connections, gateway.tunnels]).toEqual([0, 0, ["blue 0", "green 0"]]);
  });

  test("a slow client gets all that was on its way to it, then the goodbye", async () => {
    await using house = await startBlueGreen({ top: { limits: { send_idle: 0 } } });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    client.pause();
    server.sendInPieces(
      Buffer.concat(Array.from({ length: 500_000 }, () => frame({ length: 62 }))),
    );
    await standsStill(() => server.pendingBytes);

    gateway.switchTo("green");
    await clock.advance(86_000);
    client.resume();
    const told = await client.until(GOODBYE);
    await part(client, server);

    expect(told.length).toBeGreaterThan(100_000);
    expect((told.length - GOODBYE.length) % 64).toBe(0);
  });

  test("a client that reads nothing holds nobody for long", async () => {
    await using house = await startBlueGreen({ top: { limits: { send_idle: 0 } } });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    client.pause();
    // Every read of the gateway ends with a frame.
    server.sendInPieces(
      Buffer.concat(Array.from({ length: 500_000 }, () => frame({ length: 62 }))),
    );
    await standsStill(() => server.pendingBytes);

    gateway.switchTo("green");
    await clock.advance(76_000);
    const before = gateway.connections;
    await clock.advance(70_000);
    server.leave();

    expect([before, gateway.connections, gateway.tunnels]).toEqual([1, 0, ["blue 0", "green 0"]]);
  });

  test("a server that has said its own goodbye is given the time to close", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    await pass(server, client, Buffer.from([0x88, 2, 3, 232]));

    gateway.switchTo("green");
    await clock.advance(76_000);
    const told = client.unread;
    await part(client, server);

    expect(told).toBe("");
  });

  test.each(["client", "server"] as const)(
    "where the %s had ended its side, both are closed",
    async (side) => {
      await using house = await startBlueGreen();
      const { clock, gateway, blue } = house;
      await using client = await connectRaw(gateway);
      const server = await openTunnel(client, blue);
      server.endByHand();
      const [ended, other] = side === "client" ? [client, server] : [server, client];
      ended.finish();
      await other.end();

      gateway.switchTo("green");
      await clock.advance(76_000);
      await ended.end();
      await clock.advance(2_100);
      server.leave();

      expect(client.unread).toBe(side === "client" ? GOODBYE : "");
      expect(gateway.connections).toBe(0);
    },
  );

  test("a tunnel of another protocol just ends", async () => {
    await using house = await startBlueGreen({ group: { drain: DRAIN, upgrade: ["irc"] } });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    client.send(upgradeText({ Upgrade: "irc" }));
    const server = await blue.request();
    server.send(SWITCHED.replace("websocket", "irc"));
    await client.until("\r\n\r\n");

    gateway.switchTo("green");
    await clock.advance(76_000);
    await Promise.all([client.end(), server.end()]);
    client.finish();

    expect(client.unread).toBe("");
    expect((await gateway.exchange()).closedBy).toBe("drain");
  });

  test("a switch back takes the goodbyes back that have not been said", async () => {
    await using house = await startBlueGreen({ random: () => 0.9 });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);

    gateway.switchTo("green");
    await clock.advance(65_000);
    gateway.switchTo("blue");
    await clock.advance(100_000);
    const told = await pass(server, client, frame({ length: 3 }));
    client.leave();
    await server.end();

    expect(told).toHaveLength(5);
  });

  test("a WebSocket whose handshake outlasts the drain is told as well", async () => {
    await using house = await startBlueGreen({
      group: { drain: { ...DRAIN, tunnels: "1s" }, timeouts: { read: "10s" } },
    });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    client.send(upgradeText());
    const server = await blue.request();

    gateway.switchTo("green");
    await clock.advance(2_000);
    server.send(SWITCHED);
    await client.until("\r\n\r\n");
    await clock.advance(100);
    await client.until(GOODBYE);
    await part(client, server);

    expect((await gateway.exchange()).closedBy).toBe("drain");
  });
});

test("a server that an operator drains lets its WebSockets go like a pool", async () => {
  await using house = await startBlueGreen();
  const { clock, gateway, blue } = house;
  await using client = await connectRaw(gateway);
  const server = await openTunnel(client, blue);

  gateway.drain(0);
  await clock.advance(59_000);
  const before = client.unread;
  await clock.advance(17_000);
  await client.until(GOODBYE);
  await part(client, server);

  expect(before).toBe("");
  expect(gateway.happened).toEqual(["failover blue -> green", "drained blue"]);
});

describe("when a server goes down", () => {
  /** The request whose reset takes blue down. */
  async function takeDown(gateway: TestGateway, blue: HandServer): Promise<void> {
    const other = ask(gateway);
    (await blue.request()).reset();
    await other;
  }

  test("its WebSockets are told at once where they are between frames, else cut", async () => {
    await using house = await startBlueGreen();
    const { gateway, blue } = house;
    await using between = await connectRaw(gateway);
    await using within = await connectRaw(gateway);
    const servers = [await openTunnel(between, blue), await openTunnel(within, blue)] as const;
    await pass(servers[1], within, frame({ length: 9 }).subarray(0, 5));

    await takeDown(gateway, blue);
    await Promise.all([between.end(), within.end(), ...servers.map((one) => one.end())]);
    between.finish();

    expect([between.unread, within.unread]).toEqual([GOODBYE, ""]);
    expect(
      [await gateway.exchange(0), await gateway.exchange(1)].map((one) => one.closedBy),
    ).toEqual(["failed", "failed"]);
  });

  test("one that was told already is not told twice", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);
    gateway.switchTo("green");
    await clock.advance(76_000);
    await client.until(GOODBYE);

    gateway.strike(0);
    await Promise.all([client.end(), server.end()]);
    client.finish();

    expect(client.unread).toBe("");
  });

  test("those of the backup stay when the primary is back", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([OK]);
    await using green = await startHandServer();
    const pools = { blue: [blue], green: [green] };
    await using gateway = await startTestGateway({ pools, clock });
    await using client = await connectRaw(gateway);
    gateway.strike(0);
    const server = await openTunnel(client, green);

    await clock.runUntil(isTrueWithin(5_000, () => gateway.servers[0] === "blue up"));
    await clock.advance(600_000);
    const told = await pass(server, client, frame({ length: 3 }));
    client.leave();
    await server.end();

    expect(told).toHaveLength(5);
    expect(gateway.happened.at(-1)).toBe("failback green -> blue");
  });
});

test("a drain of 200 WebSockets tells each 1012 between two frames, spread over its time", async () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  await using house = await startBlueGreen({
    group: { drain: { ...DRAIN, grace: "60s" } },
    random,
  });
  const { clock, gateway, blue } = house;
  await using clients = await connectMany(gateway, 200);
  const message = Buffer.concat([
    frame({ opcode: 1, fin: false, length: 300 }),
    frame({ opcode: 0, fin: false, length: 7 }),
    frame({ opcode: 0, length: 2_000 }),
  ]);
  const servers: HandConnection[] = [];
  for (const client of clients.all) servers.push(await openTunnel(client, blue));
  // Every second one is somewhere else in its long message when the time comes, the others are idle.
  const isIdle = (_: unknown, n: number): boolean => n % 2 === 1;
  const sent = servers.map((server, n) => {
    const bytes = message.subarray(0, isIdle(server, n) ? 0 : (n * 12) % message.length);
    server.send(bytes);
    return bytes.length;
  });

  gateway.switchTo("green");
  await clock.advance(60_000);
  const ends: number[] = [];
  for (let second = 1; second <= 31; second++) {
    await clock.advance(1_000);
    for (const [n, server] of servers.entries()) {
      if (isIdle(server, n)) continue;
      const from = sent[n] ?? 0;
      const next = message.subarray(from, from + 40);
      server.send(next);
      sent[n] = from + next.length;
    }
    ends.push(clients.all.filter(isIdle).filter((one) => one.unread === GOODBYE).length);
  }
  for (const [n, server] of servers.entries()) {
    if (!isIdle(server, n)) server.send(message.subarray(sent[n]));
  }
  const told = await Promise.all(clients.all.map((client) => client.until(GOODBYE)));
  await Promise.all(clients.all.map((client, n) => part(client, servers[n] ?? servers[0]!)));

  const boundaries = new Set([0, 304, 313, message.length]);
  const offsets = told.map((text) => text.length - GOODBYE.length);
  expect(offsets.filter((offset) => !boundaries.has(offset))).toEqual([]);
  expect(offsets).toEqual(expect.arrayContaining([0, 304, message.length]));
  expect(told.filter((text) => !message.toString("latin1").startsWith(text.slice(0, -4)))).toEqual(
    [],
  );
  // A third of the goodbyes in each third of the time.
  expect([ends[9], ends[19], ends[30]].map((count) => Math.round((count ?? 0) / 10))).toEqual([
    3, 7, 10,
  ]);
  expect(gateway.tunnels).toEqual(["blue 0", "green 0"]);
});

describe("when the gateway stops", () => {
  test("WebSockets are told within a tenth of shutdown_timeout, and it ends with the last", async () => {
    await using house = await startBlueGreen({ top: { shutdown_timeout: "30s" } });
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    const server = await openTunnel(client, blue);

    const stopped = gateway.stop();
    await clock.advance(1_400);
    const before = client.unread;
    await clock.advance(200);
    await client.until(GOODBYE);
    await part(client, server);
    await clock.runUntil(stopped);

    expect(before).toBe("");
    expect(clock.now()).toBeLessThan(3_000);
    expect((await gateway.exchange()).closedBy).toBe("stop");
  });

  test("one that opens after that is told at once", async () => {
    await using house = await startBlueGreen();
    const { clock, gateway, blue } = house;
    await using client = await connectRaw(gateway);
    client.send(upgradeText());
    const server = await blue.request();

    const stopped = gateway.stop();
    server.send(SWITCHED);
    await client.until("\r\n\r\n");
    await clock.advance(100);
    await client.until(GOODBYE);
    await part(client, server);
    await clock.runUntil(stopped);

    expect((await gateway.exchange()).closedBy).toBe("stop");
  });
});
