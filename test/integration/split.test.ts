import { expect, onTestFinished, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

const CLIENTS = Array.from({ length: 100 }, (_, n) => `192.0.2.${n}`);

test("clients are spread by their address, each stays, and a switch ends it", async () => {
  const { gateway, served } = await opened({ split: { blue: 70, green: 30 } });

  const first = await Promise.all(CLIENTS.map((client) => served({ "X-Forwarded-For": client })));
  const again = await Promise.all(CLIENTS.map((client) => served({ "X-Forwarded-For": client })));
  gateway.switchTo("green");
  const after = await Promise.all(CLIENTS.map((client) => served({ "X-Forwarded-For": client })));

  const greens = first.filter((pool) => pool === "green").length;
  expect(greens).toBeGreaterThan(15);
  expect(greens).toBeLessThan(45);
  expect(again).toEqual(first);
  expect(new Set(after)).toEqual(new Set(["green"]));
});

test("the part of a pool that cannot serve goes to the one that does", async () => {
  const { gateway, served } = await opened({ split: { blue: 50, green: 50 } });
  gateway.maintain(1);

  const pools = await Promise.all(CLIENTS.map((client) => served({ "X-Forwarded-For": client })));

  expect(new Set(pools)).toEqual(new Set(["blue"]));
});

test("an operator's split counts more than the configured one", async () => {
  const { gateway, served } = await opened({ split: { blue: 100 } });

  await gateway.orders.setSplit("app", { by: "the test", split: { green: 1 } });

  expect(await served({})).toBe("green");
});

test("rules send single requests to another pool, the first that fits", async () => {
  const { served } = await opened({
    rules: [
      { header: "X-Canary", value: "no", pool: "blue" },
      { header: "X-Canary", pool: "green" },
      { cookie: "beta", value: "1", pool: "green" },
    ],
  });

  expect(
    await Promise.all([
      served({}),
      served({ "X-Canary": "no" }),
      served({ "X-Canary": "yes" }),
      served({ Cookie: "a=b; beta=1" }),
      served({ Cookie: "beta=0" }),
    ]),
  ).toEqual(["blue", "blue", "green", "green", "blue"]);
});

test("a rule takes a part of all clients", async () => {
  const { served } = await opened({ rules: [{ clients: "20%", pool: "green" }] });

  const pools = await Promise.all(CLIENTS.map((client) => served({ "X-Forwarded-For": client })));

  const greens = pools.filter((pool) => pool === "green").length;
  expect(greens).toBeGreaterThan(8);
  expect(greens).toBeLessThan(35);
});

test("a switch is proved by the pool that it is to, whatever rules say of clients", async () => {
  const { gateway } = await opened({ rules: [{ clients: "100%", pool: "blue" }] });

  const outcome = await gateway.orders.switchTo("app", {
    by: "the test",
    to: "green",
    force: false,
    dryRun: false,
    ifActive: undefined,
    wait: false,
    guard: undefined,
  });

  expect(outcome).toMatchObject({ ok: true, facts: { proof: { pool: "green" } } });
  expect(gateway.active).toBe("green");
});

async function opened(group: object) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const start = async (name: string) =>
    stack.use(await startScriptedServer([OK], { name, openAtEnd: "close" }));
  const pools = { blue: [await start("blue")], green: [await start("green")] };
  const top = { trusted_proxies: ["127.0.0.1"] };
  const gateway = stack.use(await startTestGateway({ pools, group, top }));
  /** The pool that answers a request with these fields. */
  const served = async (fields: Readonly<Record<string, string>>) =>
    (await ask(gateway, { fields }))?.body.split(" ")[0];
  return { gateway, served };
}
