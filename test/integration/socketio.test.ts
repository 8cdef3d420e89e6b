import { describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  connectSocketIo,
  openSocketIo,
  type SocketIoApp,
  type SocketIoClient,
  startSocketIoApp,
  type Transports,
} from "../support/socketio.ts";
import { until } from "../support/until.ts";

const MESSAGES = 1000;
/** Less than a server keeps a silent session. */
const DRAIN_MS = 30_000;

const SETTINGS: [transports: Transports, protocol: 3 | 4][] = [
  [["polling"], 4],
  [["polling", "websocket"], 4],
  [["websocket"], 4],
  [["polling"], 3],
  [["polling", "websocket"], 3],
  [["websocket"], 3],
];

/** Clients that can poll are on a server without an open connection to tell so. */
const POLLING = SETTINGS.filter(([transports]) => transports.includes("polling"));

interface Stage extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly blue: SocketIoApp;
}

async function startStage(clock?: ManualClock): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const blue = stack.use(await startSocketIoApp("blue"));
  const green = stack.use(await startSocketIoApp("green"));
  const gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { affinity: "socketio", drain: { tunnels: `${DRAIN_MS}ms` } },
    ...(clock && { clock }),
  });
  stack.use(gateway);
  stack.defer(async () => await allLeft(gateway));
  return { gateway, blue, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

/** A client that polls says goodbye by a request, which must find the gateway open. */
async function allLeft(gateway: TestGateway): Promise<void> {
  await until(() => gateway.connections === 0, "all clients have left");
}

function statuses({ exchanges }: TestGateway): ReadonlySet<number> {
  return new Set(exchanges.map(({ status }) => status));
}

/** Echoes in a row of `width` at a time, counted as they are acknowledged. */
async function echoes(client: SocketIoClient, onEcho: (count: number) => void = () => {}) {
  let sent = 0;
  let echoed = 0;
  const lane = async (): Promise<void> => {
    while (sent < MESSAGES) {
      const n = ++sent;
      if ((await client.ask("echo", n)) !== n) throw new Error(`another answer than ${n}`);
      onEcho(++echoed);
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  return echoed;
}

describe.each(SETTINGS)("by %j with protocol %i", (transports, protocol) => {
  const options = { transports, protocol };

  test("1,000 messages each way are acknowledged, rooms and bytes work", async () => {
    await using stage = await startStage();
    using client = await connectSocketIo(stage.gateway.port, options);
    using other = await connectSocketIo(stage.gateway.port, options);
    const bytes = Buffer.alloc(100_000, 7);

    const echoed = await echoes(client);
    const answered = await client.ask("ask me", MESSAGES);
    await Promise.all([client.ask("join", "stalls"), other.ask("join", "stalls")]);
    client.tell("say", "stalls", "bravo");
    await until(() => client.heard.length > 0 && other.heard.length > 0, "all hear it");
    const echo = await client.ask("echo", bytes);

    expect([echoed, answered]).toEqual([MESSAGES, (MESSAGES * (MESSAGES + 1)) / 2]);
    expect([client.heard, other.heard]).toEqual([["bravo"], ["bravo"]]);
    expect(Buffer.isBuffer(echo) && echo.equals(bytes)).toBe(true);
    expect([client.losses, client.transport]).toEqual([[], transports.at(-1)]);
  });

  test("within 2 s of kill -9 a client is back, on the other pool", async () => {
    await using stage = await startStage();
    using client = await connectSocketIo(stage.gateway.port, options);
    const before = await client.ask("who");
    const began = performance.now();

    await stage.blue[Symbol.asyncDispose]();
    await client.event("connect");
    const tookMs = performance.now() - began;

    expect([before, await client.ask("who")]).toEqual(["blue", "green"]);
    expect(tookMs).toBeLessThan(2000);
  });

  test("a switch in the middle costs no acknowledgement and no connection", async () => {
    await using stage = await startStage();
    using client = await connectSocketIo(stage.gateway.port, options);

    const echoed = await echoes(client, (count) => {
      if (count === MESSAGES / 2) stage.gateway.switchTo("green");
    });
    using newcomer = await connectSocketIo(stage.gateway.port, options);

    expect([echoed, client.losses]).toEqual([MESSAGES, []]);
    expect([await client.ask("who"), await newcomer.ask("who")]).toEqual(["blue", "green"]);
    expect(statuses(stage.gateway)).not.toContain(400);
  });
});

test("a switch between handshake and upgrade leaves the upgrade on the old pool", async () => {
  await using stage = await startStage();
  using client = openSocketIo(stage.gateway.port, { transports: ["polling", "websocket"] });
  await stage.gateway.exchange(0);

  stage.gateway.switchTo("green");
  await client.connected();
  await until(() => client.transport === "websocket", "upgraded");

  expect([await client.ask("who"), client.losses]).toEqual(["blue", []]);
  expect(statuses(stage.gateway)).not.toContain(400);
});

test("once the drain is over, a polling client is sent to the live pool at once", async () => {
  const clock = new ManualClock();
  await using stage = await startStage(clock);
  using client = await connectSocketIo(stage.gateway.port, { transports: ["polling"] });
  stage.gateway.switchTo("green");
  const before = await client.ask("who");

  clock.stall(DRAIN_MS);
  client.tell("echo", 1);
  await client.event("connect");

  expect([before, await client.ask("who")]).toEqual(["blue", "green"]);
  const refused = stage.gateway.exchanges.filter(({ status }) => status === 400);
  const told = refused.map(({ error, affinity, attempts }) => [error, affinity, attempts.length]);
  expect(told).toContainEqual(["UNKNOWN_SESSION", "lost", 0]);
  expect(new Set(told.map(String)).size).toBe(1);
});

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}

describe.each(POLLING)(
  "with two servers in a pool, by %j with protocol %i",
  (transports, protocol) => {
    const play = async (affinity: string) => {
      await using one = await startSocketIoApp("one");
      await using two = await startSocketIoApp("two");
      await using gateway = await startTestGateway({
        pools: { blue: [one, two] },
        group: { affinity },
      });
      const clients = Array.from({ length: 6 }, () =>
        openSocketIo(gateway.port, { transports, protocol, reconnection: false }),
      );
      const told = await Promise.all(
        clients.map(async (client) => {
          const lost = [client.event("connect_error"), client.event("disconnect")];
          return await Promise.race([
            client.connected().then(async () => (await echoes(client), await client.ask("who"))),
            Promise.race(lost).then(() => "lost"),
          ]);
        }),
      );
      for (const client of clients) client[Symbol.dispose]();
      await allLeft(gateway);
      return { told: told.map(String).toSorted(byName), has400: statuses(gateway).has(400) };
    };

    test("every client stays with the server that knows it", async () => {
      expect(await play("socketio")).toEqual({
        told: ["one", "one", "one", "two", "two", "two"],
        has400: false,
      });
    });

    test("without affinity it does not work", async () => {
      const { told, has400 } = await play("none");

      expect([told.includes("lost"), has400]).toEqual([true, true]);
    });
  },
);
