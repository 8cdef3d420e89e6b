import { describe, expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, type RequestText, requestText } from "../support/raw-client.ts";
import { type ScriptedServer, startScriptedServer } from "../support/scripted-server.ts";
import { answer, type Behaviour, ECHO, HANG, OK, RESET } from "../support/server-script.ts";

const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const OPEN = '{"sid":"S-1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}';
const OPENED: Behaviour = { does: "answer", status: 200, body: `0${OPEN}` };
const POLL: RequestText = { path: `${HANDSHAKE}&sid=S-1` };
const SAY: RequestText = { ...POLL, method: "POST", body: "40" };
const UPGRADE: RequestText = {
  path: "/socket.io/?EIO=4&transport=websocket&sid=S-1",
  fields: {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
  },
};
const UNKNOWN = '{"code":1,"message":"Session ID unknown"}';

interface Cast extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly one: ScriptedServer;
  readonly two: ScriptedServer;
}

/** `one` and `two` share the pool blue, so that the second of two requests goes to `two` by itself. */
async function startCast(
  script: readonly Behaviour[],
  setup: {
    readonly clock?: ManualClock;
    readonly group?: object;
    readonly server?: object;
    readonly second?: readonly Behaviour[];
  } = {},
): Promise<Cast> {
  const stack = new AsyncDisposableStack();
  const one = stack.use(await startScriptedServer(script, { name: "one", openAtEnd: "close" }));
  const second = setup.second ?? [OK];
  const two = stack.use(await startScriptedServer(second, { name: "two", openAtEnd: "close" }));
  const gateway = await startTestGateway({
    pools: { blue: [one, two], green: [two] },
    ...setup,
    group: { affinity: "socketio", ...setup.group },
  });
  stack.use(gateway);
  return { gateway, one, two, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

function pathsAt({ arrivals }: ScriptedServer): readonly string[] {
  return arrivals.map(({ method, path }) => `${method} ${path}`);
}

test("polls, posts and the upgrade of a session go to the server that issued it", async () => {
  await using cast = await startCast([OPENED, OK, OK, ECHO]);
  await using socket = await connectRaw(cast.gateway);

  await ask(cast.gateway, { path: HANDSHAKE });
  await ask(cast.gateway, POLL);
  await ask(cast.gateway, SAY);
  socket.send(requestText(UPGRADE));
  await socket.until("one is here");
  socket.leave();
  await cast.gateway.exchange(3);

  expect([pathsAt(cast.one), pathsAt(cast.two)]).toEqual([
    [`GET ${HANDSHAKE}`, `GET ${POLL.path}`, `POST ${POLL.path}`, `GET ${UPGRADE.path}`],
    [],
  ]);
  expect(cast.gateway.exchanges.map(({ affinity }) => affinity)).toEqual([
    "new",
    "bound",
    "bound",
    "bound",
  ]);
});

describe("a session is learnt from a handshake", () => {
  test.each<[string, string, string]>([
    ["with protocol 3", "3", `${OPEN.length + 1}:0${OPEN}2:40`],
    ["with protocol 3 in bytes", "3", `\u0000\u0008\u0004\u00ff0${OPEN}`],
    ["with a packet behind it", "4", `0${OPEN}\u001e40`],
  ])("%s", async (_, version, body) => {
    await using cast = await startCast([{ does: "answer", status: 200, body }, OK]);

    const opened = await ask(cast.gateway, { path: HANDSHAKE.replace("4", version) });
    const polled = await ask(cast.gateway, POLL);

    expect([opened?.body, polled?.body]).toEqual([body, "one answered 200\n"]);
  });

  test("that comes byte by byte, each passed on as it comes", async () => {
    await using one = await startHandServer();
    await using two = await startHandServer();
    await using gateway = await startTestGateway({
      pools: { blue: [one, two] },
      group: { affinity: "socketio" },
    });
    await using client = await connectRaw(gateway);
    client.send(requestText({ path: HANDSHAKE }));
    const server = await one.request();

    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await client.until("\r\n\r\n");
    for (const byte of `0${OPEN}`) {
      server.send(`1\r\n${byte}\r\n`);
      expect(await client.bytes(6)).toBe(`1\r\n${byte}\r\n`);
    }
    server.send("0\r\n\r\n");
    await client.until("0\r\n\r\n");
    client.send(requestText(POLL));
    await server.request();
    server.reply(200, "polled");

    expect((await client.answer())?.body).toBe("polled");
    client.leave();
  });
});

describe("no session is learnt from", () => {
  test.each<[string, RequestText, Behaviour]>([
    ["an answer that is compressed", {}, { ...OPENED, fields: { "Content-Encoding": "gzip" } }],
    ["an answer that is no handshake", {}, { ...OPENED, body: "<html>" }],
    ["a handshake too far behind", {}, { ...OPENED, body: `${" ".repeat(5000)}0${OPEN}` }],
    ["a refusal", {}, { ...OPENED, status: 403 }],
    ["any other request", { path: "/" }, OPENED],
    ["a POST", { method: "POST" }, OPENED],
  ])("%s", async (_, request, behaviour) => {
    await using cast = await startCast([behaviour, OK]);

    await ask(cast.gateway, { path: HANDSHAKE, ...request });
    const polled = await ask(cast.gateway, POLL);

    expect(polled?.body).toBe("two answered 200\n");
    expect(cast.gateway.exchanges.map(({ affinity }) => affinity)).toEqual([undefined, undefined]);
  });
});

test("a session that the gateway does not know is for a server to judge", async () => {
  await using cast = await startCast([RESET], {
    second: [{ ...OPENED, status: 400, body: UNKNOWN }],
  });

  const answer = await ask(cast.gateway, POLL);

  expect([answer?.status, answer?.body]).toEqual([400, UNKNOWN]);
  expect(storyOf(await cast.gateway.exchange())).toEqual([
    `GET ${POLL.path} 400`,
    "blue head reset 502 counted next",
    "blue body ok 400 return",
  ]);
});

describe("a session whose server is gone is answered as Engine.IO does", () => {
  test.each<[string, RequestText]>([
    ["a poll", POLL],
    ["a post", SAY],
    ["an upgrade", UPGRADE],
  ])("%s, without asking another server", async (_, request) => {
    await using cast = await startCast([OPENED, RESET]);
    await ask(cast.gateway, { path: HANDSHAKE });
    await ask(cast.gateway, POLL);

    const answer = await ask(cast.gateway, request);

    expect([answer?.status, answer?.body]).toEqual([400, UNKNOWN]);
    expect(answer?.fields.get("content-type")).toBe("application/json");
    expect(answer?.fields.has("access-control-allow-origin")).toBe(false);
    expect(storyOf(await cast.gateway.exchange(2))).toEqual([
      `${request.method ?? "GET"} ${request.path} 400 UNKNOWN_SESSION`,
    ]);
    expect(cast.two.arrivals).toEqual([]);
  });

  test("to a script of another origin so that it can read it", async () => {
    await using cast = await startCast([OPENED]);
    await ask(cast.gateway, { path: HANDSHAKE });
    cast.gateway.maintain(0);

    const answer = await ask(cast.gateway, { ...POLL, fields: { Origin: "https://shop.example" } });

    expect([answer?.status, answer?.fields.get("vary")]).toEqual([400, "Origin"]);
    expect(answer?.fields.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(answer?.fields.get("access-control-allow-credentials")).toBe("true");
  });

  test("whatever page the group has for this status", async () => {
    await using blue = await startScriptedServer([OPENED], { openAtEnd: "close" });
    await using gateway = await startTestGateway({
      pools: { blue: [blue] },
      group: { affinity: "socketio", error_pages: { 400: "bad.html" } },
      files: { "bad.html": "<p>bad" },
    });
    await ask(gateway, { path: HANDSHAKE });
    gateway.maintain(0);

    expect((await ask(gateway, POLL))?.body).toBe(UNKNOWN);
  });

  test("but a preflight goes to whoever serves", async () => {
    await using cast = await startCast([OPENED]);
    await ask(cast.gateway, { path: HANDSHAKE });
    cast.gateway.maintain(0);

    expect((await ask(cast.gateway, { ...POLL, method: "OPTIONS" }))?.status).toBe(200);
  });
});

describe("a request of a session meets no server but its own where that", () => {
  test.each<[string, RequestText, Behaviour, readonly string[]]>([
    ["breaks a poll", POLL, RESET, ["502 SERVER_FAILED", "blue head reset 502 counted return"]],
    ["breaks a post", SAY, RESET, ["502 SERVER_FAILED", "blue head reset 502 counted return"]],
    ["answers 503", POLL, answer(503), ["503", "blue head status 503 counted return"]],
  ])("%s", async (_, request, behaviour, [status, attempt]) => {
    const group = { keepalive: { max_idle: 0 } };
    await using cast = await startCast([OPENED, behaviour, OK], { group });
    await ask(cast.gateway, { path: HANDSHAKE });

    await ask(cast.gateway, request);

    expect(storyOf(await cast.gateway.exchange(1))).toEqual([
      `${request.method ?? "GET"} ${request.path} ${status}`,
      attempt,
    ]);
    expect(cast.two.arrivals).toEqual([]);
  });
});

test("polls that wait on a server are told at once when it goes down, posts are not", async () => {
  await using cast = await startCast([OPENED, HANG, HANG, RESET], {
    group: { keepalive: { max_idle: 0 } },
  });
  await using polling = await connectRaw(cast.gateway);
  await using saying = await connectRaw(cast.gateway);
  await ask(cast.gateway, { path: HANDSHAKE });
  polling.send(requestText(POLL));
  saying.send(requestText({ ...SAY, path: `${SAY.path}&t=2` }));
  await Promise.all([cast.one.received(POLL.path ?? ""), cast.one.received(`${SAY.path}&t=2`)]);

  await ask(cast.gateway);
  await ask(cast.gateway);
  const answer = await polling.answer();

  expect([answer?.status, answer?.body, saying.unread]).toEqual([400, UNKNOWN, ""]);
  const polled = cast.gateway.exchanges.find(({ target }) => target === POLL.path);
  expect(polled && storyOf(polled)).toEqual([
    `GET ${POLL.path} 400 UNKNOWN_SESSION`,
    "blue head moved - return",
  ]);
  expect((await saying.answer())?.status).toBe(504);
});

test("other requests of the group fail over as ever", async () => {
  await using cast = await startCast([RESET]);

  expect((await ask(cast.gateway))?.body).toBe("two answered 200\n");
});

test("a session's server takes its requests beyond max_conns", async () => {
  await using cast = await startCast([OPENED, { does: "hold", status: 200 }, OK], {
    server: { max_conns: 1 },
  });
  await using polling = await connectRaw(cast.gateway);
  await ask(cast.gateway, { path: HANDSHAKE });
  polling.send(requestText(POLL));
  await cast.one.received(POLL.path ?? "");

  const said = await ask(cast.gateway, SAY);
  cast.one.release();

  expect([said?.body, (await polling.answer())?.body]).toEqual([
    "one answered 200\n",
    "one answered 200\n",
  ]);
});

test("a long poll may be silent for as long as its server said, and no longer", async () => {
  const clock = new ManualClock();
  await using cast = await startCast([OPENED, HANG], { clock });
  await clock.runUntil(ask(cast.gateway, { path: HANDSHAKE }));
  await using polling = await connectRaw(cast.gateway, 30_000);
  polling.send(requestText(POLL));
  await cast.one.received(POLL.path ?? "");

  await clock.advance(44_000);
  const before = polling.unread;
  const answer = await clock.runUntil(polling.answer());

  expect([before, answer?.status]).toEqual(["", 504]);
});

test.each<[string, RequestText]>([
  ["what a client says", SAY],
  ["an upgrade", UPGRADE],
  ["another page with a sid", { path: "/page?sid=S-1" }],
])("%s has the group's timeouts", async (_, request) => {
  const clock = new ManualClock();
  await using cast = await startCast([OPENED, HANG], { clock });
  await clock.runUntil(ask(cast.gateway, { path: HANDSHAKE }));
  const began = clock.now();

  const answer = await clock.runUntil(ask(cast.gateway, request));

  expect(answer?.status).toBe(504);
  expect(clock.now() - began).toBeLessThan(5000);
});

test("a session that was silent for too long is forgotten", async () => {
  const clock = new ManualClock();
  await using cast = await startCast([OPENED, OK], { clock });
  await clock.runUntil(ask(cast.gateway, { path: HANDSHAKE }));

  await clock.advance(45_000);
  const answer = await clock.runUntil(ask(cast.gateway, POLL));

  expect(answer?.body).toBe("two answered 200\n");
});
