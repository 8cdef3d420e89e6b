import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type GatewaySetup, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

const BY = { by: "the test" };

test("a group that is made at run time serves at once, over a reload, and after a restart", async () => {
  const { gateway, setup, shop } = await opened();
  const definition = { routes: [{ host: "shop.example" }], pools: { blue: shop } };

  const made = await gateway.orders.createGroup("shop", { ...BY, definition });
  const served = [await hostServed(gateway)];
  await gateway.reload({ ...setup, group: { keepalive: { max_idle: 1 } } });
  served.push(await hostServed(gateway));
  await gateway.stop();
  await using again = await startTestGateway(setup);
  served.push(await hostServed(again));

  expect(made).toMatchObject({ ok: true, lines: ["group shop added"], facts: { saved: true } });
  expect(served).toEqual(["shop", "shop", "shop"]);
  expect(gateway.happened).toContain("group-created");
});

test("it can be given another definition, and deleted", async () => {
  const { gateway, shop, blue } = await opened();
  const routes = [{ host: "shop.example" }];
  await gateway.orders.createGroup("shop", { ...BY, definition: { routes, pools: { a: shop } } });

  const changed = await gateway.orders.changeGroup("shop", {
    ...BY,
    definition: { routes, pools: { a: blue } },
  });
  const served = await hostServed(gateway);
  const deleted = await gateway.orders.deleteGroup("shop", { ...BY, force: false });

  expect(changed.ok).toBe(true);
  expect(served).toBe("blue");
  expect(deleted).toMatchObject({ ok: true, lines: ["group shop removed"] });
  expect(await hostServed(gateway)).toBe("blue");
});

test("one without pools keeps its entrance, and answers 503", async () => {
  const { gateway } = await opened();
  await gateway.orders.createGroup("later", {
    ...BY,
    definition: { routes: [{ host: "shop.example" }] },
  });

  const answer = await ask(gateway, { fields: { Host: "shop.example" } });

  expect(answer?.status).toBe(503);
  expect(JSON.parse(answer?.body ?? "")).toMatchObject({ error: "NO_POOL" });
});

test("a group of the file that is deleted stays so after a restart", async () => {
  const { gateway, setup } = await opened();
  const definition = { routes: [{ host: "shop.example" }] };
  await gateway.orders.createGroup("later", { ...BY, definition });
  await gateway.orders.deleteGroup("app", { ...BY, force: false });
  await gateway.stop();

  await using again = await startTestGateway(setup);

  expect((await ask(again))?.status).toBe(404);
});

test("what is wrong with a definition is told, and nothing changes", async () => {
  const { gateway } = await opened();
  const create = async (name: string, definition: unknown) =>
    await gateway.orders.createGroup(name, { ...BY, definition });

  expect(await create("shop", { pools: { blue: 5 }, route: [] })).toMatchObject({
    kind: "failed",
    lines: expect.arrayContaining([expect.stringMatching(/^groups\.shop\.route: unknown key/)]),
  });
  expect(await create("shop", {})).toMatchObject({
    kind: "failed",
    lines: [
      'group shop, as it was given at run time: the route "any host/" belongs to group "app" already',
    ],
  });
  expect(await create("app", {})).toMatchObject({
    kind: "refused",
    lines: ['there is a group "app" already'],
  });
  expect(await gateway.orders.deleteGroup("app", { ...BY, force: true })).toMatchObject({
    kind: "refused",
    lines: ["app is the only group: a gateway needs one"],
  });
  expect(gateway.happened).toEqual([]);
});

async function opened() {
  const folder = mkdtempSync(join(tmpdir(), "understudy-groups-"));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => stack.disposeAsync());
  const start = async (name: string) =>
    stack.use(await startScriptedServer([OK], { name, openAtEnd: "close" }));
  const [blue, shop] = [await start("blue"), await start("shop")];
  const stateFile = join(folder, "state.json");
  const setup: GatewaySetup = { pools: { blue: [blue] }, stateFile };
  const gateway = stack.use(await startTestGateway(setup));
  const urlOf = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}`;
  return { gateway, setup, blue: urlOf(blue), shop: urlOf(shop) };
}

/** Who answers requests for the shop's host. */
async function hostServed(gateway: TestGateway): Promise<string | undefined> {
  const answer = await ask(gateway, { fields: { Host: "shop.example" } });
  return answer?.body.split(" ")[0];
}
