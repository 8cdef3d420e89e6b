import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { openTunnel, SWITCHED, UPGRADE } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, type RawConnection } from "../support/raw-client.ts";
import { standsStill } from "../support/waits.ts";

test("bytes go both ways after a 101, also those sent right behind the handshake", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(`${UPGRADE}early`);
  const connection = await blue.accept();
  const head = await connection.until("\r\n\r\n");
  const before = connection.unread;
  connection.send(`${SWITCHED}greet`);
  const told = await client.until("greet");
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
  expect(storyOf(record)).toEqual(["GET / 101, closed by client", "blue upgrade ok 101 return"]);
  expect(record.requestBytes).toBe(UPGRADE.length + "earlyping".length);
  expect(record.sentBodyBytes).toBe("greetpong".length);
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
  expect((await gateway.exchange()).closedBy).toBe(first);
});

test.each(["reset", "leave"] as const)(
  "a server that goes after the 101 (%s) ends the client's side, and is no strike",
  async (goes) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);
    const connection = await openTunnel(client, blue);

    connection[goes]();
    await client.end();
    client.finish();

    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 101, closed by server",
      "blue upgrade ok 101 return",
    ]);
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
  const connection = await openTunnel(client, blue);

  await clock.advance(59_000);
  client.send("still here");
  await connection.until("still here");
  await clock.advance(59_000);
  const before = gateway.connections;
  await clock.advance(2_000);
  await Promise.all([client.end(), connection.end()]);

  expect(before).toBe(1);
  expect((await gateway.exchange()).closedBy).toBe("idle");
});

test("a tunnel's slow reader slows the other side down", async () => {
  const bytes = Buffer.alloc(64 * 1024 * 1024, "x");
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);
  const connection = await openTunnel(client, blue);

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
  // The beginning of a frame: behind it a goodbye would be a part of it.
  connection.send(`${SWITCHED}\x82\x0ahello`);
  await client.until("hello");

  await clock.runUntil(gateway.stop());
  await client.end();
  await connection.end();

  expect(client.unread).toBe("");
  expect(storyOf(await gateway.exchange())).toEqual([
    "GET / 101 STOPPING, closed by stop",
    "blue upgrade aborted 101 return",
  ]);
});
