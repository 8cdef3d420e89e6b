import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { AdminClient } from "../../src/control/admin-client.ts";
import type { EventView } from "../../src/control/api-schema.ts";
import { startTestAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

const REFUSED = { ok: false, kind: "refused", lines: ["a reload is under way"] } as const;

test("status, groups and readiness arrive as the gateway has them", async () => {
  await using admin = await startTestAdmin();
  const client = clientOf(admin.port);

  expect(await client.status()).toMatchObject({ ok: true, value: { version: "1.2.3" } });
  expect(await client.groups()).toMatchObject({ ok: true, value: [{ name: "app" }] });
  expect(await client.group("app")).toMatchObject({ ok: true, value: { active: "blue" } });
  expect(await client.readiness(1_000)).toEqual({
    ok: true,
    value: { isReady: true, text: "ready\n" },
  });
});

test("orders come to what the gateway says", async () => {
  await using admin = await startTestAdmin();
  const client = clientOf(admin.port);

  expect(await client.switchTo("app", { to: "green" })).toEqual({
    ok: true,
    value: { ok: true, lines: ["done"] },
  });
  admin.control.decide = () => REFUSED;
  expect(await client.reload()).toEqual({ ok: true, value: REFUSED });
  expect(await client.switchTo("app", { to: "red" })).toEqual({
    ok: true,
    value: {
      ok: false,
      kind: "unknown",
      lines: ['group "app" has no pool "red", known here: green, blue'],
    },
  });
  expect(admin.control.ordered).toEqual([expect.stringContaining("switch app "), "reload"]);
});

test("a group that is not there is unknown, whatever its name looks like", async () => {
  await using admin = await startTestAdmin();
  const client = clientOf(admin.port);

  expect(await client.group("ap/../p?x")).toEqual({
    ok: false,
    kind: "unknown",
    problem: 'no group "ap/../p?x", known here: app',
  });
});

test("events arrive one by one, until nobody wants them any more", async () => {
  await using admin = await startTestAdmin();
  const client = clientOf(admin.port);
  const events: EventView[] = [];
  const enough = new AbortController();
  const followed = client.follow((event) => {
    events.push(event);
    if (events.length === 3) enough.abort();
  }, enough.signal);

  // What separates lines elsewhere does not in JSON.
  const reason = "ä\u2028\u0085\n\n: x";
  await until(() => {
    admin.control.tell({ type: "all-down", group: "app", reason });
    return enough.signal.aborted;
  }, "three events");

  expect(await followed).toEqual({ ok: true, value: undefined });
  expect(events.slice(0, 3).map((event) => event.reason)).toEqual([reason, reason, reason]);
});

test("the end of the gateway is told to who follows", async () => {
  await using admin = await startTestAdmin();
  const client = clientOf(admin.port);
  let heard = 0;
  const followed = client.follow(() => (heard += 1), new AbortController().signal);
  await until(() => {
    admin.control.tell({ type: "all-down", group: "app", reason: "gone" });
    return heard > 0;
  }, "an event");

  await admin.stop();

  expect(await followed).toEqual({
    ok: false,
    kind: "failed",
    problem: `the gateway at 127.0.0.1:${admin.port} has ended`,
  });
});

test("where nobody listens it is asked whether the gateway runs and has a door", async () => {
  let port: number;
  {
    await using admin = await startTestAdmin();
    port = admin.port;
  }
  const hint = "is it running, and does its configuration have `admin:`?";

  expect(await clientOf(port).status()).toEqual({
    ok: false,
    kind: "failed",
    problem: `no gateway answers at 127.0.0.1:${port}: ${hint}`,
  });
  const unix = new AdminClient({ kind: "unix", path: "/none/admin.sock" });
  expect(await unix.reload()).toMatchObject({
    problem: `no gateway answers at unix:/none/admin.sock: ${hint}`,
  });
  await unix.close();
});

test("an address that stands for all is reached by loopback", async () => {
  await using admin = await startTestAdmin();
  const client = new AdminClient({ kind: "tcp", host: "0.0.0.0", port: admin.port });
  onTestFinished(() => client.close());

  expect(await client.status()).toMatchObject({ ok: true });
});

test("whatever else answers there is not taken for a gateway", async () => {
  const port = await serve((_, response) => response.end("<h1>It works!</h1>"));
  const problem = `what answers at 127.0.0.1:${port} (with 200) is no admin API of Understudy`;

  expect(await clientOf(port).groups()).toEqual({ ok: false, kind: "failed", problem });
  expect(await clientOf(port).reload()).toEqual({ ok: false, kind: "failed", problem });
});

test("who accepts and never answers is waited for no longer than told", async () => {
  const port = await serve(() => {});

  expect(await clientOf(port).readiness(50)).toEqual({
    ok: false,
    kind: "failed",
    problem: `the gateway at 127.0.0.1:${port} does not answer in time`,
  });
});

function clientOf(port: number): AdminClient {
  const client = new AdminClient({ kind: "tcp", host: "127.0.0.1", port });
  onTestFinished(() => client.close());
  return client;
}

/** The port of a server that ends with the test. */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
