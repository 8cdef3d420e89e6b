import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";
import { isTrueWithin, standsStill } from "../support/waits.ts";

const CLIENTS = 8;
const REQUESTS = 7;

/** Bytes that belong to one request and to no other: its number, over and over. */
function patternOf(id: number, length: number): Buffer {
  const line = `<${id.toString().padStart(8, "0")}>`;
  return Buffer.from(line.repeat(Math.ceil(length / line.length)).slice(0, length), "latin1");
}

/** Lengths at which the relay changes its ways, up to more than the kernel holds for a slow client. */
function lengthOf(id: number): number {
  return [10, 8_000, 13_000, 65_536, 65_537, 200_000, 16_000_000][id % 7] ?? 0;
}

/** Echoes the pattern that the path asks for, chunked or with a length; at times 503 first. */
async function startPatternServer(pool: string) {
  const server = createServer((request, response) => {
    const id = Number(request.url?.slice(1));
    const sent: Buffer[] = [];
    request.on("data", (bytes: Buffer) => sent.push(bytes));
    request.on("end", () => {
      const body = patternOf(id, lengthOf(id));
      const isWhole = Buffer.concat(sent).equals(
        patternOf(id, request.method === "PUT" ? lengthOf(id + 3) : 0),
      );
      const fails = pool === "blue" && id % 5 === 0;
      response.statusCode = fails ? 503 : isWhole ? 200 : 418;
      if (id % 2 === 0) response.setHeader("content-length", body.length);
      response.end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends its requests at once, pipelined, reads now fast, now slowly, and compares every byte. */
async function runClient(port: number, first: number): Promise<readonly string[]> {
  const socket = connect({ port, host: "127.0.0.1" });
  const ids = Array.from({ length: REQUESTS }, (_, n) => first + n);
  const last = ids.at(-1);
  for (const id of ids) {
    const body = id % 3 === 0 ? patternOf(id, lengthOf(id + 3)) : undefined;
    const close = id === last ? "Connection: close\r\n" : "";
    const method = body === undefined ? "GET" : "PUT";
    const length = body === undefined ? "" : `Content-Length: ${body.length}\r\n`;
    socket.write(`${method} /${id} HTTP/1.1\r\nHost: a\r\n${close}${length}\r\n`);
    if (body !== undefined) socket.write(body);
  }
  const read: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => read.push(bytes));
  if (first % 2 === 0) await readInSteps(socket);
  else await once(socket, "end");
  return problemsOf(Buffer.concat(read), ids);
}

/** A client that reads nothing for so long that the gateway has to wait for it, again and again. */
async function readInSteps(socket: Socket): Promise<void> {
  while (!socket.readableEnded) {
    socket.pause();
    await standsStill(() => socket.bytesRead);
    socket.resume();
    const before = socket.bytesRead;
    await isTrueWithin(5_000, () => socket.readableEnded || socket.bytesRead > before + 2_000_000);
  }
}

function problemsOf(bytes: Buffer, ids: readonly number[]): readonly string[] {
  const problems: string[] = [];
  let at = 0;
  for (const id of ids) {
    const headEnd = bytes.indexOf("\r\n\r\n", at) + 4;
    const head = bytes.toString("latin1", at, headEnd);
    const status = head.slice(9, 12);
    const { body, end } = /content-length/i.test(head)
      ? readLength(bytes, headEnd, Number(/content-length: (\d+)/i.exec(head)?.[1]))
      : readChunks(bytes, headEnd);
    if (status !== "200") problems.push(`${id}: status ${status}`);
    else if (!body.equals(patternOf(id, lengthOf(id)))) problems.push(`${id}: foreign bytes`);
    at = end;
  }
  return problems;
}

function readLength(bytes: Buffer, from: number, length: number) {
  return { body: bytes.subarray(from, from + length), end: from + length };
}

function readChunks(bytes: Buffer, from: number) {
  const pieces: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) return { body: Buffer.concat(pieces), end: lineEnd + 4 };
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

test("no byte of a request or an answer ever reaches anybody else", async () => {
  await using blue = await startPatternServer("blue");
  await using green = await startPatternServer("green");
  await using gateway = await startTestGateway({
    pools: { blue: [blue], green: [green] },
    server: { max_fails: 0 },
  });

  const clients = Array.from({ length: CLIENTS }, (_, n) =>
    runClient(gateway.port, n * REQUESTS + 1),
  );
  const problems = (await Promise.all(clients)).flat();

  expect(problems).toEqual([]);
  expect(gateway.exchanges.length).toBe(CLIENTS * REQUESTS);
  expect(gateway.exchanges.filter(({ attempts }) => attempts.length > 1).length).toBeGreaterThan(
    10,
  );
});
