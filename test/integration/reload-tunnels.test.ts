import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { ANSWER_TO_GOODBYE, frame, GOODBYE } from "../support/frames.ts";
import { type GatewaySetup, startTestGateway } from "../support/gateway.ts";
import { type HandConnection, startHandServer } from "../support/hand-server.ts";
import { openTunnel, SWITCHED, UPGRADE } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { connectRaw, type RawConnection, requestText } from "../support/raw-client.ts";

const DRAIN = { tunnels: "60s", spread: "30s", grace: "2s" };
/** From a removal to the goodbye of the only one there: drain.tunnels and half of drain.spread. */
const GOODBYE_MS = 75_000;

/** Blue and green, each driven by hand; a reload that takes blue out, and one that has it again. */
async function startHouse(setup: GatewaySetup = {}) {
  const stack = new AsyncDisposableStack();
  const clock = new ManualClock();
  const blue = stack.use(await startHandServer());
  const green = stack.use(await startHandServer());
  const both: GatewaySetup = {
    pools: { blue: [blue], green: [green] },
    group: { drain: DRAIN },
    random: () => 0.5,
    ...setup,
  };
  const gateway = stack.use(await startTestGateway({ ...both, clock }));
  const client = stack.use(await connectRaw(gateway));
  const rest = { ...both, pools: { green: [green] } };
  const dispose = () => stack.disposeAsync();
  return { clock, blue, green, gateway, client, both, rest, [Symbol.asyncDispose]: dispose };
}

/** A message of the server has arrived at the client. */
async function isOpen(server: HandConnection, client: RawConnection): Promise<boolean> {
  const message = frame({ length: 5 });
  server.send(message);
  return (await client.bytes(message.length)) === message.toString("latin1");
}

/** The client has been told, answers, and both sides close. */
async function part(client: RawConnection, server: HandConnection): Promise<string> {
  const told = await client.bytes(GOODBYE.length);
  client.send(ANSWER_TO_GOODBYE);
  await server.until(ANSWER_TO_GOODBYE);
  server.finish();
  await client.end();
  client.finish();
  await server.end();
  return told;
}

test("a WebSocket stays open through every reload that keeps its server", async () => {
  await using house = await startHouse();
  const { clock, gateway, client, blue, green, both } = house;
  const server = await openTunnel(client, blue);

  for (const next of [
    both,
    { ...both, group: { drain: DRAIN, timeouts: { read: "9s" } } },
    { ...both, pools: { green: [green], blue: [blue] }, group: { primary: "blue" } },
    { ...both, pools: { blue: [green, blue] }, top: { limits: { connections: 50 } } },
    both,
  ]) {
    await gateway.reload(next);
    await clock.advance(200_000);
  }

  expect(await isOpen(server, client)).toBe(true);
  expect(gateway.tunnels).toEqual(["blue 1", "green 0"]);
});

describe("when its server is taken out", () => {
  test.each<[string, (rest: GatewaySetup) => GatewaySetup]>([
    ["of its group", (rest) => rest],
    ["with its group", (rest) => ({ ...rest, others: { app: undefined, shop: { pools: {} } } })],
  ])("%s a WebSocket leaves with 1012 after drain.tunnels", async (_, after) => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, rest } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload(after(rest));
    await clock.advance(GOODBYE_MS - 100);
    const before = [await isOpen(server, client), client.unread];
    await clock.advance(200);
    const told = await part(client, server);

    expect([before, told]).toEqual([[true, ""], GOODBYE]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 101, closed by drain",
      "blue upgrade ok 101 return",
    ]);
  });

  test("a drain that is under way is not begun anew", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, rest } = house;
    const server = await openTunnel(client, blue);

    gateway.switchTo("green");
    await clock.advance(50_000);
    await gateway.reload(rest);
    await clock.advance(GOODBYE_MS - 50_000 + 100);

    expect(await part(client, server)).toBe(GOODBYE);
  });

  test("without drain.tunnels it leaves at once", async () => {
    await using house = await startHouse({ group: { drain: { ...DRAIN, tunnels: 0, spread: 0 } } });
    const { gateway, client, blue, rest } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload(rest);

    expect(await part(client, server)).toBe(GOODBYE);
  });

  test("a stream of events ends behind an event", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, rest } = house;
    client.send(requestText({}));
    const server = await blue.request();
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    await client.until("data: 1\n\n");

    await gateway.reload(rest);
    await clock.advance(GOODBYE_MS + 100);
    const last = await client.until("0\r\n\r\n");
    await server.end();

    expect(last).toBe("\r\n0\r\n\r\n");
  });

  test("one whose handshake was under way leaves with the others", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, rest } = house;
    client.send(UPGRADE);
    const server = await blue.request();

    await gateway.reload(rest);
    await clock.advance(2_000);
    server.send(SWITCHED);
    await client.until("\r\n\r\n");
    await clock.advance(57_000);
    const before = await isOpen(server, client);
    await clock.advance(1_200);

    expect([before, await part(client, server)]).toEqual([true, GOODBYE]);
  });

  test("it stays where a later reload has the server again", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, both, rest } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload(rest);
    await clock.advance(70_000);
    await gateway.reload(both);
    await clock.advance(200_000);

    expect([await isOpen(server, client), gateway.tunnels]).toEqual([true, ["blue 1", "green 0"]]);
  });

  test("it leaves at once where the gateway stops meanwhile", async () => {
    await using house = await startHouse({ top: { shutdown_timeout: "10s" } });
    const { clock, gateway, client, blue, rest } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload(rest);
    const stopped = gateway.stop();
    await clock.advance(600);
    const told = await part(client, server);
    await clock.runUntil(stopped);

    expect(told).toBe(GOODBYE);
    expect((await gateway.exchange()).closedBy).toBe("stop");
  });
});

describe("a WebSocket that is older than the reload, or whose handshake is,", () => {
  test("leaves when the drain ends that had begun before it", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, both } = house;
    const server = await openTunnel(client, blue);

    gateway.switchTo("green");
    await clock.advance(30_000);
    await gateway.reload({ ...both, group: { drain: { ...DRAIN, spread: 0 } } });
    await clock.advance(29_900);
    const before = await isOpen(server, client);
    await clock.advance(200);

    expect([before, await part(client, server)]).toEqual([true, GOODBYE]);
    expect(gateway.happened).toEqual(["switched blue -> green", "drained blue"]);
  });

  test("leaves after a switch behind it", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, green, both } = house;
    client.send(UPGRADE);
    const server = await blue.request();

    await gateway.reload({ ...both, pools: { blue: [green, blue], green: [green] } });
    server.send(SWITCHED);
    await client.until("\r\n\r\n");
    gateway.switchTo("green");
    await clock.advance(GOODBYE_MS + 100);

    expect(await part(client, server)).toBe(GOODBYE);
  });

  test("is broken off when its server goes down", async () => {
    await using house = await startHouse();
    const { gateway, client, blue, green, both } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload({ ...both, pools: { blue: [green, blue], green: [green] } });
    gateway.strike(1);
    const told = await client.bytes(GOODBYE.length);
    await server.end();
    await client.end();

    expect([told, (await gateway.exchange()).closedBy]).toEqual([GOODBYE, "failed"]);
  });

  test("drains as its pool does whose primary was edited, and stays where that is taken back", async () => {
    await using house = await startHouse();
    const { clock, gateway, client, blue, both } = house;
    const server = await openTunnel(client, blue);

    await gateway.reload({ ...both, group: { drain: DRAIN, primary: "green" } });
    await clock.advance(65_000);
    await gateway.reload(both);
    await clock.advance(30_000);
    const stays = await isOpen(server, client);
    await gateway.reload({ ...both, group: { drain: DRAIN, primary: "green" } });
    await clock.advance(GOODBYE_MS + 100);

    expect([stays, await part(client, server)]).toEqual([true, GOODBYE]);
  });
});
