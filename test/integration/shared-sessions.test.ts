import { describe, expect, test } from "vitest";
import { SessionBindings } from "../../src/proxy/session-bindings.ts";
import { SharedSessions } from "../../src/proxy/shared-sessions.ts";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startHandServer, type HandConnection, type HandServer } from "../support/hand-server.ts";
import { HeldSessions } from "../support/held-sessions.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ask, connectRaw, type RawConnection, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";
import { standsStill } from "../support/waits.ts";

const PATH = "/socket.io/?EIO=4&transport=polling";
const OPEN = '0{"sid":"S-1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}';
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

interface Cast extends AsyncDisposable {
  readonly sessions: HeldSessions;
  readonly gateway: TestGateway;
  readonly server: HandServer;
  readonly client: RawConnection;
  /** The server's side of the handshake that the client has sent. */
  readonly connection: HandConnection;
}

/** A client that has sent its handshake to a server that has not answered it. */
async function startCast(): Promise<Cast> {
  const stack = new AsyncDisposableStack();
  const sessions = new HeldSessions();
  const server = stack.use(await startHandServer());
  const gateway = stack.use(
    await startTestGateway({
      pools: { blue: [server] },
      group: { affinity: "socketio" },
      sessions,
    }),
  );
  const client = stack.use(await connectRaw(gateway));
  client.send(requestText({ path: PATH }));
  const connection = await server.request();
  const dispose = async (): Promise<void> => await stack.disposeAsync();
  return { sessions, gateway, server, client, connection, [Symbol.asyncDispose]: dispose };
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

describe("the answer that opens a session is held until all workers know it", () => {
  test("with a length, and its server's connection is free meanwhile", async () => {
    await using cast = await startCast();
    await using other = await connectRaw(cast.gateway);

    cast.connection.reply(200, OPEN);
    await cast.sessions.learnt();
    other.send(requestText({ path: "/other" }));
    const again = await cast.connection.request();
    cast.connection.reply(200, "other");
    const told = await other.answer();
    const before = cast.client.unread;
    cast.sessions.tellAll();
    const answer = await cast.client.answer();

    expect([again.startLine, told?.body]).toEqual(["GET /other HTTP/1.1", "other"]);
    expect([before, answer?.body, cast.server.accepted]).toEqual(["", OPEN, 1]);
    expect(cast.gateway.exchanges.map(({ affinity }) => affinity)).toEqual([undefined, "new"]);
  });

  test("its connection is given back once: two requests at a time have two", async () => {
    await using cast = await startCast();
    cast.connection.reply(200, OPEN);
    await cast.sessions.learnt();
    cast.sessions.tellAll();
    await cast.client.answer();
    await using other = await connectRaw(cast.gateway);

    cast.client.send(requestText({ path: "/first" }));
    const first = await cast.connection.request();
    other.send(requestText({ path: "/second" }));
    const second = await cast.server.accept();
    const secondRequest = await second.request();
    cast.connection.reply(200, "first");
    second.reply(200, "second");
    const answers = [await cast.client.answer(), await other.answer()];

    expect([first.startLine, secondRequest.startLine]).toEqual([
      "GET /first HTTP/1.1",
      "GET /second HTTP/1.1",
    ]);
    expect(answers.map((answer) => answer?.body)).toEqual(["first", "second"]);
  });

  test("in chunks: head and beginning go on, what completes the packet and all behind it wait", async () => {
    await using cast = await startCast();

    cast.connection.send(CHUNKED + chunk(OPEN.slice(0, 10)));
    await cast.client.until(OPEN.slice(0, 10));
    cast.connection.send(chunk(OPEN.slice(10)));
    await cast.sessions.learnt();
    cast.connection.send(`${chunk("\u001e40")}0\r\n\r\n`);
    await standsStill(() => cast.client.unread.length);
    const before = cast.client.unread;
    cast.sessions.tellAll();
    const rest = await cast.client.until("0\r\n\r\n");

    expect([before.trim(), bodyOf(rest)]).toEqual(["", `${OPEN.slice(10)}\u001e40`]);
  });

  test("and what its server sends after that goes on as it comes", async () => {
    await using cast = await startCast();

    cast.connection.send(CHUNKED + chunk(OPEN));
    await cast.sessions.learnt();
    cast.sessions.tellAll();
    await cast.client.until(OPEN);
    cast.connection.send(chunk("more"));
    await cast.client.until("more");
    cast.connection.send("0\r\n\r\n");
    await cast.client.until("0\r\n\r\n");

    expect(storyOf(await cast.gateway.exchange())).toEqual([
      `GET ${PATH} 200`,
      "blue body ok 200 return",
    ]);
  });

  test("to the end of the connection", async () => {
    await using cast = await startCast();

    cast.connection.send(`HTTP/1.0 200 OK\r\n\r\n${OPEN}`);
    cast.connection.finish();
    await cast.sessions.learnt();
    await cast.connection.end();
    cast.sessions.tellAll();

    expect((await cast.client.answer())?.body).toBe(OPEN);
  });

  test("however long it is: past 64 KB its server is made to wait, and nothing is lost", async () => {
    await using cast = await startCast();
    const body = OPEN + "x".repeat(12_000_000);

    cast.connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
    cast.connection.sendInPieces(Buffer.from(body));
    await cast.sessions.learnt();
    await standsStill(() => cast.connection.pendingBytes);
    const waiting = cast.connection.pendingBytes;
    cast.sessions.tellAll();
    const answer = await cast.client.answer();

    expect(waiting).toBeGreaterThan(1_000_000);
    expect(answer?.body === body).toBe(true);
  });

  test("and the client's next request comes after it", async () => {
    await using cast = await startCast();

    cast.client.send(requestText({ path: "/next" }));
    cast.connection.reply(200, OPEN);
    await cast.sessions.learnt();
    cast.sessions.tellAll();
    await cast.connection.request();
    cast.connection.reply(200, "next");

    const answers = [await cast.client.answer(), await cast.client.answer()];
    expect(answers.map((answer) => answer?.body)).toEqual([OPEN, "next"]);
  });
});

describe("while the answer is held", () => {
  test.each([
    ["its server has sent all of it", `Content-Length: ${OPEN.length}\r\n\r\n${OPEN}`],
    ["its server is still at it", `Content-Length: ${OPEN.length + 1}\r\n\r\n${OPEN}`],
  ])("the client may leave: %s", async (_, rest) => {
    await using cast = await startCast();

    cast.connection.send(`HTTP/1.1 200 OK\r\n${rest}`);
    await cast.sessions.learnt();
    cast.client.leave();
    const record = await cast.gateway.exchange();
    cast.sessions.tellAll();
    await standsStill(() => cast.client.unread.length);

    expect([record.error, cast.gateway.exchanges.length]).toEqual(["CLIENT_GONE", 1]);
    expect(cast.gateway.happened).toEqual([]);
  });

  test("its server may break it off, and the client never takes it for whole", async () => {
    await using cast = await startCast();

    cast.connection.send(CHUNKED + chunk(OPEN));
    await cast.sessions.learnt();
    cast.connection.reset();
    const end = await cast.client.end();
    cast.sessions.tellAll();
    await standsStill(() => cast.client.unread.length);

    expect([end, cast.client.unread.includes("S-1")]).toEqual(["reset", false]);
    const record = await cast.gateway.exchange();
    expect([record.error, cast.gateway.exchanges.length]).toEqual(["SERVER_FAILED", 1]);
  });

  test("the gateway may end, and the client is cut off", async () => {
    await using cast = await startCast();

    cast.connection.reply(200, OPEN);
    await cast.sessions.learnt();
    const stopped = cast.gateway.stop();
    cast.gateway.destroy();
    await stopped;
    cast.sessions.tellAll();

    expect((await cast.gateway.exchange()).error).toBe("STOPPING");
  });
});

test("a client that comes back by another worker at once meets the server that knows it", async () => {
  const clock = new ManualClock();
  const [here, there] = [new SessionBindings(clock), new SessionBindings(clock)];
  const hearing = new SharedSessions({ local: there, clock, tell: async () => {} });
  const arrived = Promise.withResolvers<void>();
  const telling = new SharedSessions({
    local: here,
    clock,
    tell: async (group, sid, session) => {
      await arrived.promise;
      hearing.hear(group, sid, session);
    },
  });
  const opened = { does: "answer", status: 200, body: OPEN } as const;
  await using one = await startScriptedServer([OK, opened, OK], {
    name: "one",
    openAtEnd: "close",
  });
  await using two = await startScriptedServer([OK], { name: "two", openAtEnd: "close" });
  const group = { affinity: "socketio", keepalive: { max_idle: 0 } };
  const setup = { pools: { blue: [one, two] }, group };
  await using first = await startTestGateway({ ...setup, sessions: telling });
  await using second = await startTestGateway({ ...setup, sessions: hearing });
  // The next one would go to `two` there.
  await ask(second, { path: "/socket.io/?EIO=4&transport=polling&sid=unknown" });

  const handshake = ask(first, { path: PATH });
  arrived.resolve();
  await handshake;
  const polls = [await ask(second, { path: `${PATH}&sid=S-1` })];
  polls.push(await ask(second, { path: `${PATH}&sid=S-1` }));

  expect(polls.map((poll) => poll?.body)).toEqual(["one answered 200\n", "one answered 200\n"]);
});

function bodyOf(chunks: string): string {
  return chunks.replaceAll(/(?:^|\r\n)[\da-f]+\r\n/g, "").replace(/\r\n$/, "");
}
