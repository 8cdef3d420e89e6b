import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { ask } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK, RESET } from "../support/server-script.ts";
import { holdClosedPort } from "../support/unreachable-port.ts";
import { isTrueWithin } from "../support/waits.ts";

test("the gateway's own answer is JSON with a code and the request's id", async () => {
  await using blue = await holdClosedPort();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { fields: { "X-Request-Id": "abc" } });

  expect([told?.fields.get("content-type"), told?.fields.get("x-request-id")]).toEqual([
    "application/json",
    "abc",
  ]);
  expect(Date.now() - Date.parse(told?.fields.get("date") ?? "")).toBeLessThan(60_000);
  expect(JSON.parse(told?.body ?? "")).toEqual({
    error: "SERVER_FAILED",
    status: 502,
    message: "no server gave a usable answer",
    request_id: "abc",
  });
});

test.each([
  ["text/html,application/xhtml+xml", "text/html; charset=utf-8"],
  ["application/json, text/html", "application/json"],
  ["*/*", "application/json"],
])("Accept: %s gets %s", async (accept, type) => {
  await using blue = await holdClosedPort();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { fields: { Accept: accept } });

  expect(told?.fields.get("content-type")).toBe(type);
  expect(told?.body).toContain("SERVER_FAILED");
});

test("why no server is available is told to the log, and no client learns our addresses", async () => {
  await using gateway = await startTestGateway({
    pools: { blue: [{ url: "http://blue.test:3000" }] },
    lookup: (_, done) => done(Object.assign(new Error("not found"), { code: "ENOTFOUND" }), []),
  });
  await isTrueWithin(2_000, () => gateway.servers[0] === "blue unresolved");

  const told = await ask(gateway);

  const { error, why } = await gateway.exchange();
  expect([told?.status, told?.body.includes("blue.test")]).toEqual([502, false]);
  expect([error, why]).toEqual([
    "NO_SERVER",
    'no server of group "app" is left: blue.test:3000 has a name without an address: ENOTFOUND',
  ]);
});

test("HEAD gets the head of the gateway's own answer and no body", async () => {
  await using blue = await holdClosedPort();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { method: "HEAD" });

  expect([told?.status, Number(told?.fields.get("content-length")) > 50]).toEqual([502, true]);
  expect((await gateway.exchange()).sentBodyBytes).toBe(0);
});

test("error_pages take the place of the gateway's own bodies", async () => {
  await using blue = await holdClosedPort();
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { error_pages: { 502: "sorry.html" } },
    files: { "sorry.html": "<h1>Sorry – gleich zurück</h1>" },
  });

  const told = await ask(gateway);

  expect([told?.status, told?.fields.get("content-type")]).toEqual([
    502,
    "text/html; charset=utf-8",
  ]);
  const body = Buffer.from(told?.body ?? "", "latin1").toString("utf8");
  expect([body, told?.complete]).toEqual(["<h1>Sorry – gleich zurück</h1>", true]);
});

test("a server's own error is no error of the gateway: it is passed on as it is", async () => {
  await using blue = await startScriptedServer([{ does: "answer", status: 500, body: "own" }]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { error_pages: { 500: "sorry.html" } },
    files: { "sorry.html": "sorry" },
  });

  const told = await ask(gateway);

  expect([told?.status, told?.body]).toEqual([500, "own"]);
});

test("a host and path that nothing is served at get 404", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { routes: [{ host: "shop.test", path: "/cart" }] },
  });

  const paths = ["/cart", "/cart/1", "/carton", "/"];
  const statuses = [];
  for (const path of paths) {
    const told = await ask(gateway, { path, fields: { Host: "shop.test" } });
    statuses.push(told?.status);
  }
  const elsewhere = await ask(gateway, { path: "/cart" });

  expect([...statuses, elsewhere?.status]).toEqual([200, 200, 404, 404, 404]);
});

test("a group without pools answers 503", async () => {
  await using gateway = await startTestGateway({});

  const told = await ask(gateway);

  expect(told?.status).toBe(503);
  expect(storyOf(await gateway.exchange())).toEqual(["GET / 503 NO_POOL"]);
});

test("405 says what is allowed", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { method: "TRACE" });

  expect([told?.status, told?.fields.get("allow")]).toEqual([
    405,
    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
  ]);
});

test("TRACE is not passed on", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { method: "TRACE", fields: { Cookie: "secret" } });

  expect([told?.status, told?.body.includes("secret"), blue.arrivals]).toEqual([405, false, []]);
});

test("served_by tells the client which pool and release answered, at which attempt", async () => {
  await using blue = await startScriptedServer([RESET]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    pool: { green: { release: "v2" } },
    top: { served_by: true },
  });

  const told = await ask(gateway);

  expect([told?.fields.get("x-served-by"), told?.fields.get("x-gateway-attempts")]).toEqual([
    "green v2",
    "2",
  ]);
});

test("an exchange's record tells the whole story of its attempts", async () => {
  await using blue = await startScriptedServer([RESET]);
  const named = { "X-App-Pool": "verde", "X-Release-Id": "v9" };
  await using green = await startScriptedServer([
    { does: "answer", status: 200, body: "fine", fields: named },
  ]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    pool: { blue: { release: "v1" } },
  });

  await ask(gateway, { method: "PUT", path: "/a?b=c", body: "hello" });

  const record = await gateway.exchange();
  expect([record.pool, record.release, record.group, record.requestBytes]).toEqual([
    "verde",
    "v9",
    "app",
    expect.any(Number),
  ]);
  const facts = record.attempts.map(({ n, pool, release, server, addr, sentBytes, why }) => {
    return { n, pool, release, server, addr, hasSent: sentBytes > 0, why };
  });
  expect(facts).toEqual([
    {
      n: 1,
      pool: "blue",
      release: "v1",
      server: `127.0.0.1:${blue.port}`,
      addr: `127.0.0.1:${blue.port}`,
      hasSent: true,
      why: "reset the connection before an answer: on to the next server (ECONNRESET)",
    },
    {
      n: 2,
      pool: "green",
      release: "v9",
      server: `127.0.0.1:${green.port}`,
      addr: `127.0.0.1:${green.port}`,
      hasSent: true,
      why: "",
    },
  ]);
});

test.each([
  ["0", 405],
  ["1", 200],
])("OPTIONS with Max-Forwards: %s gets %s", async (hops, status) => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const told = await ask(gateway, { method: "OPTIONS", fields: { "Max-Forwards": hops } });

  expect([told?.status, blue.arrivals.length]).toEqual([status, status === 200 ? 1 : 0]);
});
