import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../bench/rig/ports.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type Answer, ask, connectRaw } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { type Behaviour, HANG, OK, RESET } from "../support/server-script.ts";
import { isTrueWithin } from "../support/waits.ts";

const BY = { by: "the test" };

describe("a group that an operator holds", () => {
  test("lets requests wait, unsent, and serves them in the order in which they came", async () => {
    const { gateway, blue, clock } = await held({});

    const first = ask(gateway, { path: "/1" });
    await waiting(gateway, 1);
    const second = ask(gateway, { method: "POST", path: "/2", body: "two" });
    await waiting(gateway, 2);
    const unsent = blue.arrivals.length;
    await clock.advance(2_000);
    await gateway.orders.resume("app", BY);

    expect([(await first)?.status, (await second)?.status]).toEqual([200, 200]);
    expect(unsent).toBe(0);
    expect(blue.arrivals.map(({ path, body }) => [path, body])).toEqual([
      ["/1", ""],
      ["/2", "two"],
    ]);
    expect((await gateway.exchange()).heldMs).toBeCloseTo(2_000, -2);
  });

  test("lets them in when its time is up", async () => {
    const { gateway, clock } = await held({}, 5_000);
    const answer = ask(gateway);
    await waiting(gateway, 1);

    await clock.advance(5_000);

    expect((await answer)?.status).toBe(200);
    expect(gateway.happened).toEqual(["held", "resumed"]);
  });

  test("keeps everyone as long as the operator said, however short they wait else", async () => {
    const { gateway, clock } = await held({ hold: "3s" }, 60_000);
    const answer = ask(gateway);
    await waiting(gateway, 1);

    await clock.advance(59_000);
    const stillWaiting = gateway.waiting;
    await clock.advance(1_000);

    expect(stillWaiting).toBe(1);
    expect((await answer)?.status).toBe(200);
    expect((await gateway.exchange()).heldMs).toBeGreaterThan(59_000);
  });

  test("keeps everyone who waits already longer where the operator asks for longer", async () => {
    const { gateway, clock } = await held({ hold: "3s" }, 5_000);
    const answer = ask(gateway);
    await waiting(gateway, 1);

    await clock.advance(4_000);
    await gateway.orders.hold("app", { ...BY, maxMs: 60_000 });
    await clock.advance(30_000);
    const stillWaiting = gateway.waiting;
    await gateway.orders.resume("app", BY);

    expect(stillWaiting).toBe(1);
    expect((await answer)?.status).toBe(200);
  });

  test("turns those away that find no place within their time once it is over", async () => {
    const group = { hold: "3s", timeouts: { read: "5s" } };
    const { gateway, clock } = await held(group, 60_000, {
      server: { max_conns: 1 },
      serves: HANG,
    });
    const all = [ask(gateway), ask(gateway), ask(gateway)];
    await waiting(gateway, 3);
    await clock.advance(10_000);
    await gateway.orders.resume("app", BY);
    await waiting(gateway, 1);

    await clock.advance(3_100);

    expect(turnedAway(await Promise.race(all))).toEqual([503, "HELD", "3"]);
    await clock.runUntil(Promise.all(all));
  });

  test("turns further ones away where as many wait as may", async () => {
    const { gateway } = await held({ hold: { max: "10s", requests: 2 } });
    const two = [ask(gateway), ask(gateway)];
    await waiting(gateway, 2);

    const third = await ask(gateway);
    await gateway.orders.resume("app", BY);

    expect(turnedAway(third)).toEqual([503, "HELD", "10"]);
    expect((await Promise.all(two)).map((one) => one?.status)).toEqual([200, 200]);
  });

  test("serves from the pool that it was switched to meanwhile", async () => {
    const { gateway, blue, green } = await held({});
    const answer = ask(gateway);
    await waiting(gateway, 1);

    gateway.switchTo("green");
    await gateway.orders.resume("app", BY);

    expect((await answer)?.status).toBe(200);
    expect([blue.arrivals.length, green.arrivals.length]).toEqual([0, 1]);
  });

  test("gives those that wait the page where it goes into maintenance", async () => {
    const files = { "back-soon.html": "<h1>back soon</h1>" };
    const maintenance = { page: "back-soon.html", retry_after: "5m" };
    const { gateway } = await held({ maintenance }, 60_000, { files });
    const waits = ask(gateway);
    await waiting(gateway, 1);

    await gateway.orders.setMaintenance("app", { ...BY, on: true });
    const later = await ask(gateway);

    for (const answer of [await waits, later]) {
      expect([answer?.status, answer?.body]).toEqual([503, "<h1>back soon</h1>"]);
      expect(answer?.fields.get("retry-after")).toBe("300");
      expect(answer?.fields.get("content-type")).toBe("text/html; charset=utf-8");
    }
  });

  test("lets in no more than the servers take, the others as places become free", async () => {
    const { gateway } = await held({}, 30_000, { server: { max_conns: 1 } });
    const all = [ask(gateway), ask(gateway), ask(gateway), ask(gateway), ask(gateway)];
    await waiting(gateway, 5);

    await gateway.orders.resume("app", BY);

    expect((await Promise.all(all)).map((answer) => answer?.status)).toEqual(Array(5).fill(200));
  });

  test("forgets a client that leaves", async () => {
    const { gateway, blue } = await held({});
    const client = await connectRaw(gateway);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await waiting(gateway, 1);

    client.leave();
    const { status, error } = await gateway.exchange();
    await gateway.orders.resume("app", BY);

    expect([status, error]).toEqual([499, "CLIENT_GONE"]);
    expect(blue.arrivals).toEqual([]);
  });

  test("keeps those that wait over a reload of the group", async () => {
    const { gateway, pools } = await held({});
    const answer = ask(gateway);
    await waiting(gateway, 1);

    await gateway.reload({ pools, group: { keepalive: { max_idle: 1 } } });
    await gateway.orders.resume("app", BY);

    expect((await answer)?.status).toBe(200);
  });
});

describe("a group with `hold` and no server", () => {
  test("lets a request wait whose server refuses, until one is back", async () => {
    const { gateway, clock, port } = await deserted({ hold: "10s" });
    const answer = ask(gateway);
    await waiting(gateway, 1);
    await using blue = await startScriptedServer([OK], { name: "blue", port });
    await passes(clock, gateway);

    expect((await answer)?.status).toBe(200);
    expect(blue.arrivals.length).toBe(1);
    const { heldMs, attempts } = await gateway.exchange();
    expect(heldMs).toBeGreaterThan(0);
    expect(attempts.map(({ cause, decision }) => [cause, decision])).toEqual([
      ["refused", "hold"],
      [undefined, "return"],
    ]);
    await gateway.stop();
  });

  test("answers 503 once it has waited long enough", async () => {
    const { gateway, clock } = await deserted({ hold: "2s" });
    const answer = ask(gateway);
    await waiting(gateway, 1);

    await clock.advance(2_100);

    expect(turnedAway(await answer)).toEqual([503, "HELD", "2"]);
    const { attempts, why } = await gateway.exchange();
    expect(attempts.map(({ decision }) => decision)).toEqual(["return"]);
    expect(why).toMatch(/^no server of group "app" is left/);
  });

  test("answers at once without `hold`", async () => {
    const { gateway } = await deserted({});

    expect((await ask(gateway))?.status).toBe(502);
  });

  test("does not repeat a POST that was sent already", async () => {
    const clock = new ManualClock();
    await using blue = await startScriptedServer([RESET], { name: "blue" });
    await using gateway = await startTestGateway({
      pools: { blue: [blue] },
      group: { hold: "10s" },
      clock,
    });

    const answer = await ask(gateway, { method: "POST", body: "once" });

    expect(answer?.status).toBe(502);
    expect(blue.arrivals.length).toBe(1);
  });
});

interface Held {
  readonly gateway: TestGateway;
  readonly blue: ScriptedServer;
  readonly green: ScriptedServer;
  readonly clock: ManualClock;
  readonly pools: Readonly<Record<string, readonly ScriptedServer[]>>;
}

/** A gateway whose group is held for `maxMs`; gone with the test. */
async function held(
  group: object,
  maxMs = 30_000,
  more: {
    readonly files?: Readonly<Record<string, string>>;
    readonly server?: object;
    readonly serves?: Behaviour;
  } = {},
): Promise<Held> {
  const { serves = OK, ...setup } = more;
  const clock = new ManualClock();
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const blue = stack.use(await startScriptedServer([serves], { name: "blue", openAtEnd: "close" }));
  const green = stack.use(
    await startScriptedServer([serves], { name: "green", openAtEnd: "close" }),
  );
  const pools = { blue: [blue], green: [green] };
  const gateway = stack.use(await startTestGateway({ pools, group, clock, ...setup }));
  await gateway.orders.hold("app", { ...BY, maxMs });
  return { gateway, blue, green, clock, pools };
}

/** A gateway whose only server is not there. */
async function deserted(group: object) {
  const clock = new ManualClock();
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  // One that the gateway is never given itself: it would ask itself without end.
  const port = await freePort();
  const pools = { blue: [{ port }] };
  const gateway = stack.use(await startTestGateway({ pools, group, clock }));
  return { gateway, clock, port };
}

/** Until so many requests wait. */
async function waiting(gateway: TestGateway, count: number): Promise<void> {
  expect(await isTrueWithin(5_000, () => gateway.waiting === count)).toBe(true);
}

/** Lets checks run, until the server serves. */
async function passes(clock: ManualClock, gateway: TestGateway): Promise<void> {
  for (let n = 0; n < 100 && gateway.servers[0] !== "blue up"; n++) {
    await clock.advance(250);
    await setImmediate();
  }
}

function turnedAway(answer: Answer | undefined): readonly unknown[] {
  const { error }: { error?: string } = JSON.parse(answer?.body ?? "{}");
  return [answer?.status, error, answer?.fields.get("retry-after")];
}
