import { describe, expect, test } from "vitest";
import type { AdminOrder, RollbackOrder, SwitchOrder } from "../../src/control/orders.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { answer, type Behaviour, OK } from "../support/server-script.ts";

const BY = "the test";

function toGreen(more: Partial<SwitchOrder> = {}): SwitchOrder {
  const plain = { force: false, dryRun: false, ifActive: undefined, wait: false, guard: undefined };
  return { by: BY, to: "green", ...plain, ...more };
}

const BACK: RollbackOrder = { by: BY, force: false, wait: false };

function green(more: Partial<AdminOrder> = {}): AdminOrder {
  const plain = { server: undefined, force: false, wait: false };
  return { by: BY, pool: "green", admin: "drain", ...plain, ...more };
}

interface Cast extends AsyncDisposable {
  readonly blue: ScriptedServer;
  readonly green: ScriptedServer;
  readonly gateway: TestGateway;
}

interface Script {
  readonly blue?: readonly Behaviour[];
  readonly green?: readonly Behaviour[];
  readonly group?: object;
  readonly clock?: ManualClock;
}

async function open(script: Script = {}): Promise<Cast> {
  const stack = new AsyncDisposableStack();
  const start = async (name: string, one: readonly Behaviour[] = [OK]) =>
    stack.use(await startScriptedServer(one, { name, openAtEnd: "close" }));
  const [blueApp, greenApp] = [
    await start("blue", script.blue),
    await start("green", script.green),
  ];
  const gateway = stack.use(
    await startTestGateway({
      pools: { blue: [blueApp], green: [greenApp] },
      group: script.group ?? {},
      ...(script.clock && { clock: script.clock }),
    }),
  );
  return {
    blue: blueApp,
    green: greenApp,
    gateway,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** So many requests, one after the other; the statuses that came. */
async function load(gateway: TestGateway, count: number): Promise<void> {
  await using client = await connectRaw(gateway);
  for (let n = 0; n < count; n++) {
    client.send(requestText({ method: "POST" }));
    await client.answer("POST");
  }
}

describe("a switch", () => {
  test("is proved by a request that comes in as any client's, and answered by the new pool", async () => {
    await using cast = await open();
    const { gateway } = cast;

    const outcome = await gateway.orders.switchTo("app", toGreen());

    expect(outcome).toMatchObject({
      ok: true,
      facts: { group: "app", from: "blue", to: "green", saved: true, proof: { pool: "green" } },
    });
    expect(outcome.lines[1]).toMatch(/^proved in .* HEAD \/ through 127\.0\.0\.1:\d+ was answered/);
    expect(gateway.happened).toEqual(["switched blue -> green", "switch-proved blue -> green"]);
    expect(gateway.exchanges[0]).toMatchObject({ method: "HEAD", status: 200 });
    expect(gateway.exchanges[0]?.requestId).toMatch(/^understudy-proof-[\da-f]{16}-[\da-f]{16}$/);
  });

  test("asks what the pool's probe asks, where that leads to the group from outside", async () => {
    const health = { path: "/healthz", status: 204, headers: { "X-Token": "t" } };
    const script = [answer(204)];
    await using cast = await open({ green: script, blue: script, group: { health } });

    await cast.gateway.orders.switchTo("app", toGreen());

    const proof = cast.green.arrivals.find(({ fields }) =>
      fields.get("user-agent")?.endsWith("proof"),
    );
    expect(proof).toMatchObject({ method: "GET", path: "/healthz" });
    expect(proof?.fields.get("x-token")).toBe("t");
  });

  test("is taken back where the new pool fails that request", async () => {
    await using cast = await open({ green: [answer(500)] });
    const { gateway } = cast;

    const outcome = await gateway.orders.switchTo("app", toGreen());

    expect(outcome).toMatchObject({ ok: false, kind: "rolled_back" });
    expect(outcome.lines[0]).toContain("was answered with 500 by green");
    expect(gateway.active).toBe("blue");
    expect(gateway.happened).toEqual([
      "switched blue -> green",
      "switched green -> blue",
      "rolled-back green -> blue",
    ]);
  });

  test("is not taken back where the operator insists", async () => {
    await using cast = await open({ green: [answer(500)] });

    const outcome = await cast.gateway.orders.switchTo("app", toGreen({ force: true }));

    expect(outcome).toMatchObject({ ok: true, facts: { proof: null } });
    expect(outcome.lines[1]).toContain("forced, although not proved");
    expect(cast.gateway.active).toBe("green");
  });

  test("to a pool that does not serve is refused, unless the operator insists", async () => {
    await using cast = await open();
    const { gateway } = cast;
    gateway.maintain(1);

    const refusal = await gateway.orders.switchTo("app", toGreen());
    const insisted = await gateway.orders.switchTo("app", toGreen({ force: true }));

    expect(refusal).toMatchObject({ ok: false, kind: "refused" });
    expect(refusal.lines[0]).toMatch(
      /no server of green serves: 127\.0\.0\.1:\d+ is in maintenance$/,
    );
    expect(insisted).toMatchObject({ ok: false, kind: "failed" });
    expect(gateway.happened[0]).toBe("switch-refused blue -> green");
    expect(gateway.active).toBe("blue");
  });

  test("is refused where another pool is active than the operator thinks", async () => {
    await using cast = await open();

    const outcome = await cast.gateway.orders.switchTo("app", toGreen({ ifActive: "green" }));

    expect(outcome).toMatchObject({ ok: false, kind: "refused" });
    expect(outcome.lines[0]).toContain("green is not active in app: blue is");
  });

  test("to what serves already is done", async () => {
    await using cast = await open();

    const outcome = await cast.gateway.orders.switchTo("app", toGreen({ to: "blue" }));

    expect(outcome).toMatchObject({ ok: true, lines: ["blue serves app already"] });
    expect(cast.gateway.events).toEqual([]);
  });

  test("of a group or to a pool that nobody knows says what might be meant", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;

    const outcomes = [
      await orders.switchTo("ap", toGreen()),
      await orders.switchTo("app", toGreen({ to: "gren" })),
      await orders.setAdmin("app", green({ server: "nowhere" })),
    ];

    expect(outcomes.map((one) => !one.ok && one.kind)).toEqual(["unknown", "unknown", "unknown"]);
    expect(outcomes[0]?.lines).toEqual(['no group "ap", did you mean "app"?']);
    expect(outcomes[1]?.lines[0]).toContain('did you mean "green"?');
    expect(outcomes[2]?.lines[0]).toContain('has no server "nowhere", known here: 127.0.0.1:');
  });

  test("that is only tried out tells what would happen, and nothing does", async () => {
    await using cast = await open();
    const { gateway } = cast;

    const outcome = await gateway.orders.switchTo("app", toGreen({ dryRun: true }));

    expect(outcome).toMatchObject({
      ok: true,
      facts: { dry_run: true, from: "blue", target: { servers: [{ serves: true }] } },
    });
    expect(outcome.lines[0]).toBe("would switch app from blue to green");
    expect([gateway.active, gateway.events]).toEqual(["blue", []]);
  });

  test("waits until nobody is left on the old pool", async () => {
    await using cast = await open({ blue: [{ does: "hold", status: 200 }] });
    const { gateway, blue } = cast;
    const held = ask(gateway, { path: "/slow" });
    await blue.received("/slow");

    let isOver = false;
    const order = gateway.orders.switchTo("app", toGreen({ wait: true }));
    void order.then(() => (isOver = true));
    await ask(gateway, { path: "/meanwhile" });
    expect(isOver).toBe(false);
    blue.release();
    const outcome = await order;

    expect((await held)?.body).toContain("blue");
    expect(outcome).toMatchObject({ ok: true, facts: { drained: true, left: { in_flight: 0 } } });
  });

  test("while requests are held at the door is done without a proof", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;
    await orders.hold("app", { by: BY, maxMs: 1000 });

    const outcome = await orders.switchTo("app", toGreen());

    expect(outcome).toMatchObject({ ok: true, facts: { proof: null } });
    expect(await orders.resume("app", { by: BY })).toMatchObject({ ok: true });
  });
});

describe("one change at a time", () => {
  test("the second is told who is first, and for what", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;

    const [first, second] = await Promise.all([
      orders.switchTo("app", toGreen()),
      orders.setAdmin("app", green({ by: "somebody else" })),
    ]);

    expect(first.ok).toBe(true);
    expect(second).toMatchObject({ ok: false, kind: "refused" });
    expect(second.lines[0]).toMatch(
      /since \S+Z by the test: switch to green; one change at a time$/,
    );
    expect(await orders.setAdmin("app", green({ pool: "blue" }))).toMatchObject({ ok: true });
  });
});

describe("a rollback", () => {
  test("undoes the last switch, once", async () => {
    await using cast = await open();
    const { gateway } = cast;
    await gateway.orders.switchTo("app", toGreen());

    const first = await gateway.orders.rollback("app", BACK);
    const second = await gateway.orders.rollback("app", BACK);

    expect(first).toMatchObject({ ok: true, facts: { from: "green", to: "blue" } });
    expect(second).toMatchObject({ ok: false, kind: "refused" });
    expect(gateway.active).toBe("blue");
  });

  test("is refused where no switch was", async () => {
    await using cast = await open();

    const outcome = await cast.gateway.orders.rollback("app", BACK);

    expect(outcome.lines).toEqual(["app has no switch that could be rolled back"]);
  });
});

describe("a guarded switch", () => {
  const GUARD = { forMs: 10_000, maxErrorRatio: 0.05, maxP99Ratio: undefined };

  test("is taken back where the new pool fails more than it may", async () => {
    const clock = new ManualClock();
    await using cast = await open({ clock, green: [OK, answer(500)] });
    const { gateway } = cast;

    const order = gateway.orders.switchTo("app", toGreen({ guard: GUARD, wait: true }));
    await clock.runUntil(gateway.exchange());
    await clock.runUntil(load(gateway, 12));
    const outcome = await clock.runUntil(order);

    expect(outcome).toMatchObject({ ok: false, kind: "rolled_back" });
    expect(outcome.lines.at(-1)).toMatch(/^app is back at blue: \d+ of \d+ exchanges failed/);
    expect(gateway.active).toBe("blue");
    expect(gateway.happened.at(-1)).toBe("rolled-back green -> blue");
  });

  test("stays where nothing is wrong for its time", async () => {
    const clock = new ManualClock();
    await using cast = await open({ clock });

    const outcome = await clock.runUntil(
      cast.gateway.orders.switchTo("app", toGreen({ guard: GUARD, wait: true })),
    );

    expect(outcome.ok).toBe(true);
    expect(outcome.lines.at(-1)).toContain("the guard saw nothing wrong");
  });

  test("is taken back where the new pool goes down", async () => {
    const clock = new ManualClock();
    await using cast = await open({ clock });
    const { gateway } = cast;
    const guarded = toGreen({ guard: GUARD });
    await clock.runUntil(gateway.orders.switchTo("app", guarded));

    gateway.strike(1);
    await clock.advance(600);

    expect(gateway.happened.slice(-2)).toEqual([
      "switched green -> blue",
      "rolled-back green -> blue",
    ]);
    expect(await gateway.orders.rollback("app", BACK)).toMatchObject({ kind: "refused" });
  });

  test("is the operator's again at the next order", async () => {
    const clock = new ManualClock();
    await using cast = await open({ clock });
    const { gateway } = cast;
    await clock.runUntil(gateway.orders.switchTo("app", toGreen({ guard: GUARD })));

    await clock.runUntil(gateway.orders.switchTo("app", toGreen()));
    gateway.strike(1);
    await clock.advance(600);

    expect(gateway.happened.at(-1)).toBe("failover green -> blue");
  });
});

describe("servers in and out of service", () => {
  test("the live pool is not taken out unless the operator insists", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;
    const blue = green({ pool: "blue", admin: "maint" });

    const refusal = await orders.setAdmin("app", blue);
    const insisted = await orders.setAdmin("app", { ...blue, force: true });

    expect(refusal).toMatchObject({ ok: false, kind: "refused" });
    expect(refusal.lines[0]).toContain("switch to another pool first");
    expect(insisted).toMatchObject({ ok: true, facts: { admin: "maint" } });
    expect(cast.gateway.happened[0]).toBe("admin-changed blue");
  });

  test("nor is the last server that serves", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;
    await orders.setAdmin("app", green({ admin: "maint" }));

    const outcome = await orders.setAdmin("app", green({ pool: "blue" }));

    expect(outcome.lines[0]).toContain("no other server of app serves");
  });

  test("a drain waits until nobody is left", async () => {
    await using cast = await open({ blue: [{ does: "hold", status: 200 }] });
    const { gateway, blue } = cast;
    const held = ask(gateway, { path: "/slow" });
    await blue.received("/slow");

    const order = gateway.orders.setAdmin("app", green({ pool: "blue", force: true, wait: true }));
    await ask(gateway, { path: "/meanwhile" });
    blue.release();

    expect(await order).toMatchObject({ ok: true, facts: { drained: true } });
    await held;
  });
});

describe("what else can be ordered of a group", () => {
  test("maintenance, and its end", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;

    expect(await orders.setMaintenance("app", { by: BY, on: true })).toMatchObject({ ok: true });
    expect(await orders.hold("app", { by: BY, maxMs: 1 })).toMatchObject({ kind: "refused" });
    expect(await orders.resume("app", { by: BY })).toMatchObject({ kind: "refused" });
    expect(await orders.setMaintenance("app", { by: BY, on: false })).toMatchObject({ ok: true });
    expect(cast.gateway.happened).toEqual(["maintenance-began", "maintenance-ended"]);
  });

  test.each([
    { split: { gren: 1 }, says: 'did you mean "green"?' },
    { split: { green: -1 }, says: "-1 is no weight for green" },
    { split: { green: 0, blue: 0 }, says: "every weight is 0" },
  ])("a split into $split is refused", async ({ split, says }) => {
    await using cast = await open();

    const outcome = await cast.gateway.orders.setSplit("app", { by: BY, split });

    expect(outcome.ok).toBe(false);
    expect(outcome.lines[0]).toContain(says);
  });

  test("all of it is forgotten with a reset", async () => {
    await using cast = await open();
    const { orders } = cast.gateway;
    await orders.switchTo("app", toGreen());
    await orders.setAdmin("app", green({ pool: "blue", admin: "maint" }));
    await orders.setSplit("app", { by: BY, split: { green: 3, blue: 1 } });

    const outcome = await orders.reset("app", { by: BY });

    expect(outcome.lines).toEqual([
      "no more: primary green (the configuration says blue)",
      expect.stringMatching(/^no more: 127\.0\.0\.1:\d+ of blue: maint$/),
      "no more: new clients go to: green 3, blue 1",
    ]);
    expect(cast.gateway.active).toBe("blue");
    expect(await orders.rollback("app", BACK)).toMatchObject({ kind: "refused" });
    expect(await orders.reset("app", { by: BY })).toMatchObject({
      lines: ["app is as configured already"],
    });
  });
});
