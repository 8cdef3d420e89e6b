import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import type { ClientOptions } from "../../demo/strict-client.ts";
import { StrictConnection } from "../../demo/strict-connection.ts";
import type { Job } from "../../demo/strict-connection.ts";
import type { Result, Summary } from "../../demo/tally.ts";

interface Request {
  readonly id: string;
  readonly body: string;
}

/** What the server does with one request; gets all requests so far, its own last. */
type Deed = (socket: Socket, request: Request, before: readonly Request[]) => void;

describe("the strict client reports exactly what was done to it", () => {
  const cases: readonly (readonly [name: string, deed: Deed, outcome: string | RegExp])[] = [
    ["an answer with a length", answer, "ok"],
    ["an answer in chunks", (s, r) => s.write(chunked(r, r.body)), "ok"],
    ["an answer that ends with the connection", untilClose, "ok"],
    ["an answer that announces the end of the connection", lastAnswer, "ok"],
    ["an answer behind interim ones", behindInterim, "ok"],
    ["an answer in single bytes", inBytes, "ok"],
    ["a reset before any byte", (s) => s.resetAndDestroy(), "reset ECONNRESET"],
    ["an end before any byte", (s) => s.end(), "closed closed"],
    [
      "an end within the head",
      (s) => s.end("HTTP/1.1 2"),
      "closed closed after 10 bytes of the head",
    ],
    [
      "a body cut short",
      cutShort,
      "short-body closed after 60 of 100 bytes of the body (status 200)",
    ],
    [
      "chunks without their end",
      cutChunks,
      "short-body closed after 100 bytes of a chunked body (status 200)",
    ],
    ["silence", () => {}, "timeout no byte of an answer"],
    ["a stall within the body", stall, "timeout 60 of 100 bytes of the body (status 200)"],
    ["the answer to another request", mixUp, "wrong-id got the answer to nothing"],
    ["another body of the same length", otherBody, `wrong-body got 100 bytes: "${"x".repeat(60)}"`],
    ["a longer body", longerBody, /^wrong-body got 101 bytes: /],
    ["a 503", (s) => s.write(status(503, "no")), 'status 503 "no"'],
    ["a 204", (s) => s.write("HTTP/1.1 204 No Content\r\n\r\n"), 'status 204 ""'],
    ["no HTTP", (s) => s.write("SSH-2.0-x\r\n\r\n"), 'malformed status line "SSH-2.0-x"'],
    [
      "a broken field",
      (s) => s.write("HTTP/1.1 200 OK\r\na b\r\n\r\n"),
      'malformed field line "a b"',
    ],
    ["bytes behind the answer", behind, "malformed 3 bytes behind the answer"],
    ["a length and chunks", bothFramings, "malformed both a length and a transfer coding"],
    ["a broken chunk", brokenChunk, "malformed a chunk longer than its size"],
  ];

  test.each(cases)("%s", async (_, deed, outcome) => {
    await using server = await scriptedServer([answer, deed, answer]);
    const timeoutMs = String(outcome).startsWith("timeout") ? 300 : 10_000;

    const { results, summary } = await run(server.port, { results: 3, timeoutMs });

    const [first, second, third] = results.map(outcomeOf);
    expect([first, third]).toEqual(["ok", "ok"]);
    if (typeof outcome === "string") expect(second).toBe(outcome);
    else expect(second).toMatch(outcome);
    const failed = second === "ok" ? 0 : 1;
    expect(summary).toMatchObject({ issued: 3, ok: 3 - failed, failed, inFlight: 0, unsent: 0 });
    expect(summary.failures.map(({ id }) => id)).toEqual(failed === 1 ? [results[1]?.id] : []);
  });

  test("a port that refuses", async () => {
    const port = await closedPort();

    const { results, summary } = await run(port, { results: 2 });

    expect(results.map(outcomeOf)).toEqual(["refused ECONNREFUSED", "refused ECONNREFUSED"]);
    expect(summary).toMatchObject({ failed: 2, byKind: { refused: 2 } });
  });

  test("the body of another GET, where it knows what each must be", async () => {
    const bodyOf: Deed = (socket, request) => socket.write(withLength(request, `to ${request.id}`));
    const before: string[] = [];
    const bodyOfFirst: Deed = (socket, request, [first]) => {
      before.push(first?.id ?? "");
      socket.write(withLength(request, `to ${first?.id}`));
    };
    await using server = await scriptedServer([bodyOf, bodyOfFirst, bodyOf]);

    const { results } = await run(server.port, {
      results: 3,
      postRatio: 0,
      getBodyOf: (id) => `to ${id}`,
    });

    expect(results.map(outcomeOf)).toEqual([
      "ok",
      `wrong-body got ${`to ${before[0]}`.length} bytes: "to ${before[0]}"`,
      "ok",
    ]);
  });

  test("two answers that were swapped", async () => {
    const held: [Socket, Request][] = [];
    const swap: Deed = (socket, request) => {
      held.push([socket, request]);
      const [one, two] = held.splice(0, held.length === 2 ? 2 : 0);
      if (one === undefined || two === undefined) return;
      answer(one[0], two[1]);
      answer(two[0], one[1]);
    };
    await using server = await scriptedServer([swap, swap, answer]);

    const { results } = await run(server.port, { results: 2, connections: 2 });

    const [a, b] = results.toSorted((x, y) => x.n - y.n);
    expect([a, b].map((r) => r && outcomeOf(r))).toEqual([
      `wrong-id got the answer to ${b?.id}`,
      `wrong-id got the answer to ${a?.id}`,
    ]);
  });
});

describe("a connection between two requests", () => {
  test("may be closed by the server: no failure", async () => {
    await using server = await scriptedServer([(s, r) => s.end(withLength(r, r.body)), answer]);
    const idle = Promise.withResolvers<number>();
    const ends: unknown[] = [];
    const second = Promise.withResolvers<void>();
    const connection = new StrictConnection({
      ...connectionDefaults(server.port),
      onEnd: (_, job, end) => {
        ends.push([job.id, "status" in end ? end.status : end]);
        if (job.id === "b") second.resolve();
      },
      onIdleLoss: (bytes) => idle.resolve(bytes),
    });

    connection.send(job("a"), performance.now());
    expect(await idle.promise).toBe(0);
    connection.send(job("b"), performance.now());
    await second.promise;
    connection.destroy();

    expect(ends).toEqual([
      ["a", 200],
      ["b", 200],
    ]);
  });

  test("that brings bytes nobody asked for is given up, and the bytes are counted", async () => {
    const answered = Promise.withResolvers<void>();
    await using server = await scriptedServer([
      (socket, request) => {
        answer(socket, request);
        void answered.promise.then(() => socket.write("stray"));
      },
    ]);
    const idle = Promise.withResolvers<number>();
    const connection = new StrictConnection({
      ...connectionDefaults(server.port),
      onEnd: () => answered.resolve(),
      onIdleLoss: (bytes) => idle.resolve(bytes),
    });

    connection.send(job("a"), performance.now());

    expect(await idle.promise).toBe(5);
  });
});

describe("every request is accounted for", () => {
  test("by method, pool and kind", async () => {
    await using server = await scriptedServer([
      answer,
      answerOfGreen,
      refuse,
      answer,
      (s) => s.end(),
      answer,
    ]);

    const { summary } = await run(server.port, { results: 6, postRatio: 0.5 });

    expect(summary).toEqual({
      issued: 6,
      ok: 4,
      failed: 2,
      inFlight: 0,
      unsent: 0,
      byKind: { status: 1, closed: 1 },
      byMethod: {
        GET: { issued: 3, ok: 1, failed: 2 },
        POST: { issued: 3, ok: 3, failed: 0 },
      },
      byPool: { "-": 3, green: 1 },
      failures: [
        expect.objectContaining({ method: "GET", kind: "status", detail: '503 "no"' }),
        expect.objectContaining({ method: "GET", kind: "closed", detail: "closed" }),
      ],
      latencyMs: {
        p50: expect.any(Number),
        p99: expect.any(Number),
        max: expect.any(Number),
      },
      over1s: 0,
      idleCloses: 0,
      strayBytes: 0,
    });
  });

  test("those in flight at the stop, and those that were due but found no connection", async () => {
    await using server = await scriptedServer([]);
    const client = startClient({
      ...clientDefaults(server.port),
      connections: 3,
      ratePerSecond: 1_000,
      stopMs: 0,
    });

    await expect.poll(() => client.summary().unsent).toBeGreaterThan(10);
    const summary = await client.stop();

    expect(summary).toMatchObject({ issued: 3, ok: 0, failed: 0, inFlight: 3 });
    expect(summary.unsent).toBeGreaterThan(10);
    expect(await client.stop()).toBe(summary);
  });

  test("under load on a server that misbehaves at random", async () => {
    const done = new Map<string, string>();
    const note =
      (kind: string, deed: Deed): Deed =>
      (socket, request, before) => {
        done.set(request.id, kind);
        deed(socket, request, before);
      };
    const deeds = [
      note("ok", answer),
      note("ok", answer),
      note("reset", (s) => s.resetAndDestroy()),
      note("closed", (s) => s.end()),
      note("short-body", cutShort),
      note("status", (s) => s.write(status(502, "no"))),
      note("wrong-body", otherBody),
    ];
    await using server = await scriptedServer(
      Array.from({ length: 5_000 }, (_, n) => deeds[(n * 5 + (n >> 3)) % deeds.length] ?? answer),
    );

    const { results, summary } = await run(server.port, { results: 2_000, connections: 20 });

    const told = results.map((r) => [r.id, r.ok ? "ok" : r.kind] as const);
    expect(told).toEqual(told.map(([id]) => [id, done.get(id)]));
    expect(summary.issued).toBe(summary.ok + summary.failed + summary.inFlight);
    expect(summary.issued).toBe(done.size);
    expect(summary.failures).toHaveLength(100);
  });
});

test("an open loop counts the wait for a free connection as latency", async () => {
  const held: (() => void)[] = [];
  const hold: Deed = (s, r) => held.push(() => answer(s, r));
  await using server = await scriptedServer([
    hold,
    ...Array.from({ length: 10_000 }, () => answer),
  ]);
  const client = startClient({
    ...clientDefaults(server.port),
    connections: 1,
    ratePerSecond: 500,
  });

  await expect.poll(() => client.summary().unsent).toBeGreaterThan(50);
  for (const release of held) release();
  const summary = await client.stop();

  expect(summary).toMatchObject({ failed: 0, inFlight: 0, unsent: 0 });
  expect(summary.issued).toBe(summary.ok);
  expect(summary.latencyMs.max).toBeGreaterThanOrEqual(100);
  expect(summary.latencyMs.p50).toBeGreaterThan(20);
});

test("at a fixed rate a request is sent when it is due, not when the next one is", async () => {
  await using server = await scriptedServer([answer]);
  const client = startClient({ ...clientDefaults(server.port), ratePerSecond: 1 });

  await expect.poll(() => client.summary().ok, { timeout: 5_000 }).toBe(1);
  const summary = await client.stop();

  expect(summary.latencyMs.max).toBeLessThan(900);
});

function clientDefaults(port: number) {
  return { host: "127.0.0.1", port, bodyBytes: 100, postRatio: 1 } as const satisfies ClientOptions;
}

function connectionDefaults(port: number) {
  return { host: "127.0.0.1", port, path: "/", fields: {}, timeoutMs: 10_000 } as const;
}

function job(id: string): Job {
  return { n: 0, id, method: "GET", body: "", dueAt: performance.now() };
}

/** A closed loop until so many requests have ended. */
async function run(
  port: number,
  { results: wanted, ...options }: { results: number } & Partial<ClientOptions>,
): Promise<{ results: Result[]; summary: Summary }> {
  const results: Result[] = [];
  const summary = Promise.withResolvers<Summary>();
  const client = startClient({
    ...clientDefaults(port),
    connections: 1,
    ...options,
    onResult: (result) => {
      results.push(result);
      if (results.length === wanted) summary.resolve(client.stop());
    },
  });
  return { results, summary: await summary.promise };
}

function outcomeOf(result: Result): string {
  return result.ok ? "ok" : `${result.kind} ${result.detail}`;
}

/** Does the n-th deed to the n-th request, and nothing at all to those without one. */
async function scriptedServer(deeds: readonly Deed[]) {
  const sockets = new Set<Socket>();
  const requests: Request[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const request = parse(text);
      if (request === undefined) return;
      text = "";
      requests.push(request);
      deeds[requests.length - 1]?.(socket, request, requests);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function parse(text: string): Request | undefined {
  const end = text.indexOf("\r\n\r\n");
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  if (end === -1 || text.length < end + 4 + length) return undefined;
  return { id: /x-echo-id: (\S+)/i.exec(text)?.[1] ?? "", body: text.slice(end + 4) };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function closedPort(): Promise<number> {
  await using server = await scriptedServer([]);
  return server.port;
}

function withLength({ id }: Request, body: string, fields = ""): string {
  return `HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function chunked({ id }: Request, body: string, end = "0\r\nX-Trailer: 1\r\n\r\n"): string {
  const head = `HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return `${head}${body.length.toString(16)};x=1\r\n${body}\r\n${end}`;
}

function status(code: number, body: string): string {
  return `HTTP/1.1 ${code} X\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function answer(socket: Socket, request: Request): void {
  socket.write(withLength(request, request.body));
}

function answerOfGreen(socket: Socket, request: Request): void {
  socket.write(withLength(request, request.body, "X-App-Pool: green\r\n"));
}

function refuse(socket: Socket): void {
  socket.write(status(503, "no"));
}

function lastAnswer(socket: Socket, request: Request): void {
  socket.end(withLength(request, request.body, "Connection: close\r\n"));
}

function untilClose(socket: Socket, { id, body }: Request): void {
  socket.end(`HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\n\r\n${body}`);
}

function behindInterim(socket: Socket, request: Request): void {
  socket.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  answer(socket, request);
}

function inBytes(socket: Socket, request: Request): void {
  for (const byte of chunked(request, request.body)) socket.write(byte);
}

function cutShort(socket: Socket, request: Request): void {
  socket.end(withLength(request, request.body).slice(0, -40));
}

function stall(socket: Socket, request: Request): void {
  socket.write(withLength(request, request.body).slice(0, -40));
}

function cutChunks(socket: Socket, request: Request): void {
  socket.end(chunked(request, request.body, ""));
}

function mixUp(socket: Socket, { body }: Request): void {
  socket.write(status(200, body));
}

function otherBody(socket: Socket, request: Request): void {
  socket.write(withLength(request, "x".repeat(request.body.length)));
}

function longerBody(socket: Socket, request: Request): void {
  socket.write(withLength(request, `${request.body}!`));
}

function behind(socket: Socket, request: Request): void {
  socket.write(`${withLength(request, request.body)}abc`);
}

function bothFramings(socket: Socket, request: Request): void {
  socket.write(withLength(request, request.body, "Transfer-Encoding: chunked\r\n"));
}

function brokenChunk(socket: Socket, { id, body }: Request): void {
  const head = `HTTP/1.1 200 OK\r\nX-Echo-Id: ${id}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  socket.write(`${head}2\r\n${body}`);
}
