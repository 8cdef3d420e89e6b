import { describe, expect, test } from "vitest";
import { storiesOf, storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectMany, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, CLOSE, HANG, OK, RESET } from "../support/server-script.ts";
import { holdClosedPort } from "../support/unreachable-port.ts";
import { isTrueWithin } from "../support/waits.ts";

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("an answer that breaks off", () => {
  test.each([
    ["short of its length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "finish"],
    ["short of its length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "reset"],
    ["between chunks", `${CHUNKED}4\r\nhalf\r\n`, "finish"],
    ["between chunks", `${CHUNKED}4\r\nhalf\r\n`, "reset"],
    ["within a chunk", `${CHUNKED}8\r\nhalf`, "finish"],
    ["before the end of its trailers", `${CHUNKED}4\r\nhalf\r\n0\r\nX-A: b\r\n`, "finish"],
    ["before its connection ends in order", "HTTP/1.1 200 OK\r\n\r\nhalf", "reset"],
  ] as const)("%s does not look whole, and counts (%#)", async (_, text, ends) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    connection.send(text);
    await client.until("half");
    connection[ends]();
    const how = await client.end();

    expect([how, client.unread.includes("0\r\n\r\n")]).toEqual(["reset", false]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200 SERVER_FAILED",
      "blue body truncated 200 counted return",
    ]);
  });

  test.each([
    ["a chunk size that is none", `${CHUNKED}4\r\nhalf\r\nxyz\r\n`],
    ["a chunk that is longer than its size", `${CHUNKED}4\r\nhalfway\r\n`],
    ["a chunk size with a bare line feed", `${CHUNKED}4\r\nhalf\r\n4\nhalf\r\n`],
  ])("with %s does not look whole, and counts", async (_, text) => {
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] } });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    connection.send(text);
    const how = await client.end();

    expect([how, client.unread.includes("\r\n0\r\n")]).toEqual(["reset", false]);
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200 SERVER_FAILED",
      "blue body truncated 200 counted return",
    ]);
  });

  test("by falling silent is cut after timeouts.read, and counts", async () => {
    const clock = new ManualClock();
    await using blue = await startHandServer();
    await using gateway = await startTestGateway({ pools: { blue: [blue] }, clock });
    await using client = await connectRaw(gateway);

    client.send(requestText({}));
    const connection = await blue.request();
    connection.send(`${CHUNKED}4\r\nhalf\r\n`);
    await client.until("half");
    await clock.advance(2_000);
    connection.send("4\r\nmore\r\n");
    await client.until("more");
    await clock.advance(2_000);
    connection.send("4\r\nlast\r\n");
    await client.until("last");
    const how = await clock.runUntil(client.end());

    expect(how).toBe("reset");
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200 SERVER_TIMEOUT",
      "blue body timeout 200 counted return",
    ]);
  });
});

describe("a head of an answer", () => {
  const long = `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(600_000)}\r\n\r\n`;
  test.each([
    ["has bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    ["has a bare carriage return", "HTTP/1.1 200 OK\r\nA: b\rc"],
    ["has NUL in it", "HTTP/1.1 200 OK\r\nA: b\0c"],
  ])("that %s is not waited for to its end", async (_, bytes) => {
    await using blue = await startScriptedServer([{ does: "send", bytes, end: "stall" }]);
    await using green = await startScriptedServer([OK], { name: "green" });
    await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

    await ask(gateway);

    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200",
      "blue head malformed 502 counted next",
      "green body ok 200 return",
    ]);
  });

  test.each([
    ["is no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n", "malformed"],
    ["is binary", "\x16\x03\x01\x02\x00\x01\x00", "malformed"],
    ["has a bad status line", "HTTP/1.1 2000 OK\r\n\r\n", "malformed"],
    ["has another version", "HTTP/2.0 200 OK\r\n\r\n", "malformed"],
    ["has a field without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed"],
    ["has white space before a colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "malformed"],
    ["is folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "malformed"],
    [
      "has two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "malformed",
    ],
    ["has a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "malformed"],
    ["has an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "malformed"],
    ["is longer than limits.server_head", long, "malformed"],
    [
      "switches unasked",
      "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      "malformed",
    ],
    ["breaks off", "HTTP/1.1 200 OK\r\nContent-", "closed"],
  ])("that %s is never passed on: the next server answers", async (_, bytes, cause) => {
    await using blue = await startScriptedServer([{ does: "send", bytes, end: "close" }]);
    await using green = await startScriptedServer([OK], { name: "green" });
    await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

    const told = await ask(gateway);

    expect(told?.body).toBe("green answered 200\n");
    expect(storyOf(await gateway.exchange())).toEqual([
      "GET / 200",
      `blue head ${cause} ${cause === "malformed" && bytes.includes("101") ? 101 : 502} counted next`,
      "green body ok 200 return",
    ]);
    expect(gateway.happened).toEqual(["server-down blue", "failover blue -> green"]);
  });
});

test("a body that breaks off counts, so that the next request goes elsewhere", async () => {
  await using blue = await startScriptedServer([{ does: "break-off", end: "close" }]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  await ask(gateway);
  const second = await ask(gateway);

  expect(second?.body).toBe("green answered 200\n");
});

test("requests that wait on a server that goes down move on at once", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] }, clock });
  await using clients = await connectMany(gateway, 4);
  const methods = ["GET", "POST", "PUT", "GET"];
  const connections = [];
  for (const [n, client] of clients.all.entries()) {
    const method = methods[n] ?? "";
    client.send(requestText({ method, path: `/${n}`, body: method === "GET" ? "" : "x" }));
    connections.push(await blue.request());
  }

  connections.at(-1)?.reset();
  const [first, second, third, fourth] = clients.all.map(async (client) => await client.answer());
  const moved = await Promise.all([first, third, fourth]);
  const ended = gateway.exchanges.length;
  const posted = await clock.runUntil(second ?? Promise.resolve(undefined));

  expect(moved.map((told) => told?.body)).toEqual(Array(3).fill("green answered 200\n"));
  expect([ended, posted?.status]).toEqual([3, 504]);
  expect(storiesOf(gateway.exchanges)).toEqual([
    ["GET /0 200", "blue head moved - rescue", "green body ok 200 return"],
    ["GET /3 200", "blue head reset 502 counted next", "green body ok 200 return"],
    ["POST /1 504 SERVER_TIMEOUT", "blue head timeout 504 counted return"],
    ["PUT /2 200", "blue head moved - rescue", "green body ok 200 return"],
  ]);
});

test("the last server that stands keeps giving its own 503", async () => {
  await using blue = await holdClosedPort();
  await using green = await startScriptedServer([answer(503)], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });

  const bodies = [];
  for (let n = 0; n < 4; n += 1) bodies.push((await ask(gateway))?.body);

  expect(bodies).toEqual(Array(4).fill("green answered 503\n"));
});

test("a single server is never taken out", async () => {
  await using blue = await startScriptedServer([RESET, CLOSE, RESET, OK], { name: "blue" });
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  const statuses = [];
  for (let n = 0; n < 4; n += 1) statuses.push((await ask(gateway))?.status);

  expect(statuses).toEqual([502, 502, 502, 200]);
});

test("a group whose servers are all down answers 502 at once, until a check passes", async () => {
  await using blue = await holdClosedPort();
  const green = await startScriptedServer([CLOSE]);
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] } });
  await ask(gateway);
  await green[Symbol.asyncDispose]();
  await ask(gateway);
  while (!gateway.happened.includes("all-down")) await ask(gateway);

  const told = await ask(gateway);

  expect(told?.status).toBe(502);
  expect(storyOf(gateway.exchanges.at(-1) ?? (await gateway.exchange()))).toEqual([
    "GET / 502 NO_SERVER",
  ]);
});

test("an old attempt that fails after its server has recovered is no strike", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    group: { timeouts: { read: "60s" } },
    clock,
  });
  await using old = await connectRaw(gateway);
  old.send(requestText({ method: "POST", path: "/old", body: "x" }));
  const oldest = await blue.request();
  await using client = await connectRaw(gateway);
  client.send(requestText({ path: "/strike" }));
  const struck = await blue.request();
  struck.reset();
  await client.answer();
  // Blue's check is a HEAD, which passes.
  const checked = clock.runUntil(blue.request());
  (await checked).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  await untilHappened(gateway, "server-up blue");

  oldest.reset();
  const told = await old.answer();

  expect(told?.status).toBe(502);
  expect(gateway.happened.filter((what) => what === "server-down blue").length).toBe(1);
});

test.each([
  ["expect_release", "X-Release-Id", { expect_release: "v2" }],
  ["expect_pool", "X-App-Pool", { expect_pool: "blue" }],
])("an answer of another identity than %s is never passed on", async (_, field, expected) => {
  const stranger = { ...answer(200), body: "stranger", fields: { [field]: "other" } };
  await using blue = await startScriptedServer([stranger], { name: "blue" });
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    pool: { blue: expected },
  });

  const posted = await ask(gateway, { method: "POST", body: "x" });
  const told = await ask(gateway);

  expect([posted?.status, told?.body]).toEqual([502, "green answered 200\n"]);
  expect(gateway.exchanges.map(storyOf)).toEqual([
    ["POST / 502 SERVER_FAILED", "blue head identity 200 counted return"],
    ["GET / 200", "green body ok 200 return"],
  ]);
});

test("an answer of the expected identity is passed on", async () => {
  const own = { ...answer(200), fields: { "X-Release-Id": "v2", "X-App-Pool": "blue" } };
  await using blue = await startScriptedServer([own], { name: "blue" });
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    pool: { blue: { expect_release: "v2", expect_pool: "blue" } },
  });

  const told = await ask(gateway);

  expect([told?.status, (await gateway.exchange()).release]).toEqual([200, "v2"]);
});

test("a late 200 of a server that was given up reaches nobody", async () => {
  const clock = new ManualClock();
  await using blue = await startHandServer();
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] }, clock });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const slow = await blue.request();
  const told = await clock.runUntil(client.answer());
  slow.reply(200, "late");
  await slow.end();

  expect([told?.body, client.unread]).toEqual(["green answered 200\n", ""]);
});

test("a server that hangs costs its timeout once, then nothing while it is down", async () => {
  const clock = new ManualClock();
  await using blue = await startScriptedServer([HANG]);
  await using green = await startScriptedServer([OK], { name: "green" });
  await using gateway = await startTestGateway({ pools: { blue: [blue], green: [green] }, clock });

  await clock.runUntil(ask(gateway));
  const second = await ask(gateway);

  expect(second?.status).toBe(200);
  const [first, next] = gateway.exchanges.map(({ requestTimeMs }) => Math.round(requestTimeMs));
  expect(first).toBeGreaterThanOrEqual(3_000);
  expect(first).toBeLessThan(3_200);
  expect(next).toBe(0);
});

async function untilHappened(
  gateway: { readonly happened: readonly string[] },
  what: string,
): Promise<void> {
  if (!(await isTrueWithin(5_000, () => gateway.happened.includes(what)))) {
    throw new Error(`${what} has not happened, only ${gateway.happened.join(", ")}`);
  }
}
