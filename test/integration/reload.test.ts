import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { type GatewaySetup, startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { openTunnel } from "../support/handshake.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { OK, RESET } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

/** Another configuration of the group: nothing of it is the same object. */
const EDITED = { timeouts: { read: "59s" } };

function urlOf({ port }: { readonly port: number }): { readonly url: string } {
  return { url: `http://127.0.0.1:${port}` };
}

/** A group beside `app`. */
function aGroup(host: string, pools: Record<string, readonly { readonly port: number }[]>): object {
  const written = Object.entries(pools).map(([name, servers]) => [
    name,
    { servers: servers.map(urlOf) },
  ]);
  return { routes: [{ host }], pools: Object.fromEntries(written) };
}

/** Who answered, and whether on a connection that had served before. */
function arrivalsAt({ arrivals }: ScriptedServer): readonly string[] {
  return arrivals.map(({ path, reused }) => (reused ? `${path} reused` : path));
}

describe("what is known of a server that is kept survives:", () => {
  test("its idle connections, whatever else is edited", async () => {
    await using blue = await startScriptedServer([OK]);
    await using green = await startScriptedServer([OK]);
    const setup = { pools: { blue: [blue] } };
    await using gateway = await startTestGateway(setup);
    await using client = await connectRaw(gateway);
    const get = async (path: string) => {
      client.send(requestText({ path }));
      await client.answer();
    };

    await get("/1");
    await gateway.reload(setup);
    await get("/same");
    await gateway.reload({ ...setup, group: EDITED });
    await get("/edited");
    await gateway.reload({ pools: { green: [green], blue: [blue] }, group: { primary: "blue" } });
    await get("/moved");
    await gateway.reload({ ...setup, server: { weight: 7 }, top: { limits: { body: "1k" } } });
    await get("/weight");

    expect(arrivalsAt(blue)).toEqual([
      "/1",
      "/same reused",
      "/edited reused",
      "/moved reused",
      "/weight reused",
    ]);
  });

  test("its strikes", async () => {
    await using blue = await startScriptedServer([RESET]);
    await using green = await startScriptedServer([OK]);
    const setup = { pools: { blue: [blue], green: [green] }, server: { max_fails: 2 } };
    await using gateway = await startTestGateway({ ...setup, clock: new ManualClock() });

    await ask(gateway);
    const before = gateway.servers;
    await gateway.reload({ ...setup, group: EDITED });
    const after = gateway.servers;
    await ask(gateway);

    expect([before, after]).toEqual([
      ["blue suspect", "green up"],
      ["blue suspect", "green up"],
    ]);
    expect(gateway.servers).toEqual(["blue down", "green up"]);
  });

  test("that it is down, and that it is asked again when it was due", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([RESET], { check: OK });
    await using green = await startScriptedServer([OK]);
    const setup = { pools: { blue: [blue], green: [green] } };
    await using gateway = await startTestGateway({ ...setup, clock });
    await ask(gateway);

    await gateway.reload({ ...setup, group: EDITED });
    const after = gateway.servers;
    await clock.advance(10_000);

    expect(after).toEqual(["blue down", "green up"]);
    expect(await isTrueWithin(5_000, () => gateway.servers[0] === "blue up")).toBe(true);
  });

  test("its place in the round robin, and who is on it", async () => {
    await using one = await startHandServer();
    await using two = await startHandServer();
    const setup = { pools: { blue: [one, two] }, server: { max_conns: 1 } };
    await using gateway = await startTestGateway(setup);
    await using first = await connectRaw(gateway);
    await using second = await connectRaw(gateway);
    await using third = await connectRaw(gateway);
    first.send(requestText({}));
    const atOne = await one.request();

    await gateway.reload({ ...setup, group: EDITED });
    second.send(requestText({}));
    const atTwo = await two.request();
    await gateway.reload(setup);
    third.send(requestText({}));
    const refused = await third.answer();
    atOne.reply(200);
    atTwo.reply(200);
    const told = [await first.answer(), await second.answer()];
    third.send(requestText({}));
    await atTwo.request();
    atTwo.reply(200);
    await third.answer();

    expect(refused?.status).toBe(502);
    expect(told.map((answer) => answer?.status)).toEqual([200, 200]);
  });

  test("what binds its clients: cookies", async () => {
    await using one = await startScriptedServer([OK], { name: "one" });
    await using two = await startScriptedServer([OK], { name: "two" });
    const group = { affinity: "cookie" };
    await using gateway = await startTestGateway({ pools: { blue: [one, two] }, group });
    const [line = ""] = [(await ask(gateway))?.fields.get("set-cookie")];
    const fields = { Cookie: line.split(";")[0] ?? "" };

    await gateway.reload({ pools: { blue: [two, one] }, group });
    const told = [await ask(gateway, { fields }), await ask(gateway, { fields })];

    expect(told.map((answer) => answer?.body)).toEqual([
      "one answered 200\n",
      "one answered 200\n",
    ]);
    expect(gateway.exchanges.map(({ affinity }) => affinity)).toEqual(["new", "bound", "bound"]);
  });

  test("what binds its clients: sessions of Socket.IO", async () => {
    const opened = { ...OK, body: '0{"sid":"S-1","pingInterval":25000,"pingTimeout":20000}' };
    const path = "/socket.io/?EIO=4&transport=polling";
    await using one = await startScriptedServer([opened, OK], { name: "one" });
    await using two = await startScriptedServer([OK], { name: "two" });
    const group = { affinity: "socketio" };
    await using gateway = await startTestGateway({ pools: { blue: [one, two] }, group });
    await ask(gateway, { path });

    await gateway.reload({ pools: { blue: [two, one] }, group });
    const kept = await ask(gateway, { path: `${path}&sid=S-1` });
    await gateway.reload({ pools: { blue: [two] }, group });
    const lost = await ask(gateway, { path: `${path}&sid=S-1` });

    expect([kept?.body, lost?.status]).toEqual(["one answered 200\n", 400]);
  });

  test("a pool that was switched to, until the primary is edited", async () => {
    await using blue = await startScriptedServer([OK], { name: "blue" });
    await using green = await startScriptedServer([OK], { name: "green" });
    const setup = { pools: { blue: [blue], green: [green] } };
    await using gateway = await startTestGateway(setup);
    gateway.switchTo("green");

    await gateway.reload(setup);
    const same = await ask(gateway);
    await gateway.reload({ ...setup, group: EDITED });
    const edited = await ask(gateway);
    await gateway.reload({ ...setup, group: { primary: "green" } });
    const primary = await ask(gateway);
    await gateway.reload(setup);
    const back = await ask(gateway);

    expect([same, edited, primary, back].map((answer) => answer?.body.split(" ")[0])).toEqual([
      "green",
      "green",
      "green",
      "blue",
    ]);
    expect(gateway.happened).toEqual(["switched blue -> green", "switched green -> blue"]);
  });
});

test("a reload of one group does not touch another one", async () => {
  await using blue = await startScriptedServer([OK]);
  await using one = await startScriptedServer([OK], { name: "one" });
  await using two = await startScriptedServer([OK], { name: "two" });
  await using spare = await startScriptedServer([OK]);
  const shop = aGroup("shop.test", { main: [one, two], spare: [spare] });
  const setup = { pools: { blue: [blue] }, others: { shop } };
  await using gateway = await startTestGateway({ ...setup, clock: new ManualClock() });
  await using client = await connectRaw(gateway);
  const visit = async (path: string) => {
    client.send(requestText({ path, fields: { Host: "shop.test" } }));
    return (await client.answer())?.body.split(" ")[0];
  };
  const before = [await visit("/1"), await visit("/2"), await visit("/3")];
  gateway.strike(2, "shop");
  const heard = gateway.happened.length;

  await gateway.reload({ ...setup, group: EDITED });
  const after = [await visit("/4"), await visit("/5")];

  expect([before, after]).toEqual([
    ["one", "two", "one"],
    ["two", "one"],
  ]);
  expect(arrivalsAt(one)).toEqual(["/1", "/3 reused", "/5 reused"]);
  expect(arrivalsAt(two)).toEqual(["/2", "/4 reused"]);
  expect(gateway.serversOf("shop")).toEqual(["main up", "main up", "spare down"]);
  expect(gateway.happened.slice(heard)).toEqual([]);
});

test("a group that appears is served, one that goes is known no more, its requests end", async () => {
  await using blue = await startHandServer();
  await using main = await startHandServer();
  const shop = aGroup("shop.test", { main: [main] });
  const setup = { pools: { blue: [blue] }, group: { routes: [{ host: "app.test" }] } };
  await using gateway = await startTestGateway(setup);
  await using client = await connectRaw(gateway);
  const atShop = requestText({ fields: { Host: "shop.test" } });

  client.send(atShop);
  const unknown = await client.answer();
  await gateway.reload({ ...setup, others: { shop } });
  client.send(atShop);
  const server = await main.request();
  await gateway.reload(setup);
  server.reply(200, "to the end");
  const last = await client.answer();
  client.send(atShop);
  const gone = await client.answer();

  expect([unknown?.status, last?.body, gone?.status]).toEqual([404, "to the end", 404]);
  expect(await server.end()).toBe("closed");
});

describe("an exchange that has begun", () => {
  test("on a server that is taken out ends with its answer, and its connection with it", async () => {
    await using old = await startHandServer();
    await using fresh = await startScriptedServer([OK], { name: "fresh" });
    await using gateway = await startTestGateway({ pools: { blue: [old] } });
    await using client = await connectRaw(gateway);
    await using other = await connectRaw(gateway);
    client.send(requestText({}));
    const idle = await old.request();
    other.send(requestText({}));
    const busy = await old.request();
    idle.reply(200);
    await client.answer();

    await gateway.reload({ pools: { blue: [fresh] } });
    await idle.end();
    const next = await ask(gateway);
    busy.reply(200, "to the end");
    const told = await other.answer();

    expect([next?.body, told?.body]).toEqual(["fresh answered 200\n", "to the end"]);
    expect(await busy.end()).toBe("closed");
  });

  test("on a server that is taken out and back leaves its connection for the next one", async () => {
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK]);
    const setup = { pools: { blue: [blue] } };
    await using gateway = await startTestGateway(setup);
    await using client = await connectRaw(gateway);
    client.send(requestText({}));
    const server = await blue.request();

    await gateway.reload({ pools: { blue: [green] } });
    await gateway.reload(setup);
    server.reply(200);
    await client.answer();
    client.send(requestText({}));
    await server.request();
    server.reply(200, "on the same");
    const told = await client.answer();

    expect([told?.body, blue.accepted]).toEqual(["on the same", 1]);
  });

  test("keeps its timeouts, the next one has the new ones", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    const setup = { pools: { blue: [blue] } };
    const group = { timeouts: { read: "60s" } };
    await using gateway = await startTestGateway({ ...setup, group, clock });
    await using client = await connectRaw(gateway);
    await using other = await connectRaw(gateway);
    client.send(requestText({}));
    const server = await blue.request();

    await gateway.reload({ ...setup, group: { timeouts: { read: "1s" } } });
    other.send(requestText({}));
    await blue.request();
    const late = await clock.runUntil(other.answer());
    await clock.advance(30_000);
    server.reply(200, "in time");
    const told = await client.answer();

    expect([late?.status, told?.body]).toEqual([504, "in time"]);
  });

  test("goes on by its own servers, as far as they are not known to be out by now", async () => {
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK], { name: "green" });
    await using red = await startScriptedServer([OK], { name: "red" });
    await using white = await startScriptedServer([OK], { name: "white" });
    await using gateway = await startTestGateway({
      pools: { blue: [blue], green: [green], red: [red] },
      clock: new ManualClock(),
    });
    await using client = await connectRaw(gateway);
    client.send(requestText({}));
    const server = await blue.request();

    await gateway.reload({ pools: { white: [white], green: [green], blue: [blue] } });
    gateway.strike(1);
    server.reset();
    const told = await client.answer();

    expect(told?.body).toBe("red answered 200\n");
    expect(gateway.servers).toEqual(["white up", "green down", "blue down"]);
  });

  test("is rescued from a server that is kept and goes down", async () => {
    await using blue = await startHandServer();
    await using other = await startScriptedServer([OK], { name: "other" });
    await using green = await startScriptedServer([OK], { name: "green" });
    const pools = { blue: [blue], green: [green] };
    await using gateway = await startTestGateway({ pools, clock: new ManualClock() });
    await using client = await connectRaw(gateway);
    client.send(requestText({}));
    const server = await blue.request();

    await gateway.reload({ pools: { ...pools, blue: [other, blue] } });
    gateway.strike(1);
    const told = await client.answer();
    await server.end();

    expect(told?.body).toBe("green answered 200\n");
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200",
      "blue head moved - rescue",
      "green body ok 200 return",
    ]);
  });

  test("stays where its server is that the reload itself takes out of service", async () => {
    await using blue = await startHandServer();
    await using green = await startScriptedServer([OK], { name: "green" });
    const pools = { blue: [blue], green: [green] };
    await using gateway = await startTestGateway({ pools });
    await using client = await connectRaw(gateway);
    await using idler = await connectRaw(gateway);
    idler.send(requestText({}));
    const idle = await blue.request();
    client.send(requestText({}));
    const server = await blue.request();
    idle.reply(200);
    await idler.answer();

    await gateway.reload({ pools, pool: { blue: { servers: [{ ...urlOf(blue), down: true }] } } });
    await idle.end();
    const next = await ask(gateway);
    server.reply(200, "to the end");
    const told = await client.answer();

    expect([next?.body, told?.body]).toEqual(["green answered 200\n", "to the end"]);
  });

  test("and fails after its group is gone has the other servers that the group had", async () => {
    await using main = await startHandServer();
    await using spare = await startScriptedServer([OK], { name: "spare" });
    await using blue = await startScriptedServer([OK]);
    const setup = { pools: { blue: [blue] } };
    const shop = aGroup("shop.test", { main: [main], spare: [spare] });
    await using gateway = await startTestGateway({ ...setup, others: { shop } });
    await using client = await connectRaw(gateway);
    client.send(requestText({ fields: { Host: "shop.test" } }));
    const server = await main.request();

    await gateway.reload(setup);
    server.reset();
    const told = await client.answer();
    await spare.quiet();

    expect(told?.body).toBe("spare answered 200\n");
    expect(gateway.happened).toEqual([]);
  });
});

test("a hundred reloads under way cost nobody a connection", async () => {
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK]);
  const even: GatewaySetup = { pools: { blue: [blue] } };
  const odd: GatewaySetup = { pools: { green: [green], blue: [blue] }, group: { primary: "blue" } };
  await using gateway = await startTestGateway({ ...even, clock: new ManualClock() });
  await using client = await connectRaw(gateway);
  await using socket = await connectRaw(gateway);
  const tunnel = await openTunnel(socket, blue);
  client.send(requestText({}));
  const server = await blue.request();
  const timers = gateway.timers;

  for (let n = 0; n < 100; n++) {
    await gateway.reload(n % 2 === 0 ? odd : even);
    server.reply(200, `${n}`);
    expect((await client.answer())?.body).toBe(`${n}`);
    client.send(requestText({}));
    await server.request();
  }
  server.reply(200);
  await client.answer();
  tunnel.send("still there");

  expect(await socket.until("still there")).toBe("still there");
  expect([blue.accepted, gateway.connections, gateway.timers]).toEqual([2, 2, timers]);
  expect(gateway.happened).toEqual([]);
});

test("no request fails while servers, pools and groups come and go", async () => {
  await using one = await startScriptedServer([OK]);
  await using two = await startScriptedServer([OK]);
  await using three = await startScriptedServer([OK]);
  const shop = aGroup("shop.test", { main: [three] });
  const setups: readonly GatewaySetup[] = [
    { pools: { blue: [one, two] } },
    { pools: { blue: [two] }, group: { keepalive: { max_idle: 1 } } },
    { pools: { green: [three], blue: [one] }, others: { shop } },
    { pools: { blue: [three, one, two] }, group: EDITED, others: { shop } },
    { pools: { blue: [one], green: [two] }, group: { affinity: "cookie", primary: "green" } },
  ];
  await using gateway = await startTestGateway({ ...setups[0], clock: new ManualClock() });
  const end = new AbortController();
  const visit = async (method: string): Promise<readonly string[]> => {
    await using client = await connectRaw(gateway);
    const told: string[] = [];
    while (!end.signal.aborted) {
      client.send(requestText({ method, body: method === "POST" ? "once" : "" }));
      told.push(`${(await client.answer())?.status}`);
    }
    return told;
  };
  const visitors = ["GET", "POST", "GET", "POST", "GET", "POST"].map(visit);

  for (let n = 1; n <= 300; n++) {
    await gateway.reload(setups[(n * 7 + (n >> 3)) % setups.length] ?? {});
    await letPass(2);
  }
  end.abort();
  const told = (await Promise.all(visitors)).flat();

  expect(told.filter((status) => status !== "200")).toEqual([]);
  expect(told.length).toBeGreaterThan(300);
  expect(gateway.events.filter(({ type }) => type !== "switched")).toEqual([]);
});

/** So many turns of the event loop. */
async function letPass(turns: number): Promise<void> {
  for (let n = 0; n < turns; n++) await setImmediate();
}

describe("keepalive", () => {
  test("a lower max_idle closes what is too much, 0 all of it", async () => {
    await using blue = await startHandServer();
    const setup = { pools: { blue: [blue] } };
    await using gateway = await startTestGateway(setup);
    const clients = await Promise.all([1, 2, 3].map(() => connectRaw(gateway)));
    for (const client of clients) client.send(requestText({}));
    const servers = await Promise.all(clients.map(() => blue.request()));
    for (const server of servers) server.reply(200);
    for (const client of clients) await client.answer();

    await gateway.reload({ ...setup, group: { keepalive: { max_idle: 2 } } });
    expect(await isTrueWithin(2_000, () => blue.openConnections === 2)).toBe(true);
    await gateway.reload({ ...setup, group: { keepalive: { max_idle: 0 } } });
    expect(await isTrueWithin(2_000, () => blue.openConnections === 0)).toBe(true);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test.each([
    ["shorter", "10s", "2s", 2_100],
    ["longer", "3s", "20s", 20_100],
  ])("a %s idle time holds for what is idle already", async (_, was, is, closedMs) => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    const setup = (idle: string): GatewaySetup => ({
      pools: { blue: [blue] },
      group: { keepalive: { idle } },
    });
    await using gateway = await startTestGateway({ ...setup(was), clock });
    await using client = await connectRaw(gateway);
    client.send(requestText({}));
    const server = await blue.request();
    server.reply(200);
    await client.answer();

    await clock.advance(1_000);
    await gateway.reload(setup(is));
    await clock.advance(closedMs - 1_300);
    const before = blue.openConnections;
    await clock.advance(300);

    expect([before, await server.end()]).toEqual([1, "closed"]);
  });
});
