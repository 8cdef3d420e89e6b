import { expect, test } from "vitest";
import { storyOf } from "../support/exchange-story.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { OK } from "../support/server-script.ts";

const CHUNKED = "Transfer-Encoding: chunked\r\n";

test.each([
  ["both framings", 400, post(`Content-Length: 3\r\n${CHUNKED}`)],
  ["two lengths that differ", 400, post("Content-Length: 3\r\nContent-Length: 4\r\n")],
  ["two lengths that agree", 400, post("Content-Length: 3\r\nContent-Length: 3\r\n")],
  ["a list of lengths", 400, post("Content-Length: 3, 3\r\n")],
  ["a signed length", 400, post("Content-Length: +3\r\n")],
  ["an empty length", 400, post("Content-Length:\r\n")],
  ["a hexadecimal length", 400, post("Content-Length: 0x3\r\n")],
  ["a length beyond 2^53", 400, post("Content-Length: 9007199254740993\r\n")],
  ["a coding that does not end with chunked", 400, post("Transfer-Encoding: gzip\r\n")],
  ["chunked twice", 400, post("Transfer-Encoding: chunked, chunked\r\n")],
  ["chunked with a parameter", 400, post("Transfer-Encoding: chunked;q=1\r\n")],
  ["chunked under a disguise", 400, post("Transfer-Encoding: xchunked\r\n")],
  ["an unknown coding before chunked", 501, post("Transfer-Encoding: gzip, chunked\r\n")],
  ["chunked in HTTP/1.0", 400, post(CHUNKED).replace("HTTP/1.1", "HTTP/1.0")],
  ["white space before a colon", 400, get("Content-Length : 3\r\n")],
  ["a folded field", 400, get("A: b\r\n c: d\r\n")],
  ["white space before its first line", 400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["white space before the first field", 400, " A: b\r\n".replace(/^/, "GET / HTTP/1.1\r\n")],
  ["a bare carriage return", 400, get("A: b\rc\r\n")],
  ["a bare line feed", 400, get("A: b\nc: d\r\n")],
  ["NUL in a value", 400, get("A: b\0c\r\n")],
  ["a field without a name", 400, get(": b\r\n")],
  ["a field without a colon", 400, get("nonsense\r\n")],
  ["a name that is no token", 400, get("A@b: c\r\n")],
  ["no Host", 400, "GET / HTTP/1.1\r\n\r\n"],
  ["two Hosts", 400, get("Host: b\r\n")],
  ["a Host that is none", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"],
  ["a Host with a user", 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"],
  ["a fragment in its target", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a control character in its target", 400, "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["two spaces in its first line", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target that is no path", 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an https target without TLS", 400, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["no version", 400, "GET /\r\n\r\n"],
  ["HTTP/2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"],
  ["HTTP/1.2", 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"],
  ["the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["CONNECT", 405, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an unknown expectation", 417, post("Content-Length: 3\r\nExpect: magic\r\n")],
  ["TLS on a plain port", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
])("a request with %s gets %i and a close, and no server sees it", async (_, status, text) => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(`${text}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  const told = await client.answer();
  const end = await client.end();

  expect([told?.status, told?.fields.get("connection"), end]).toEqual([status, "close", "closed"]);
  expect([client.unread, blue.accepted, gateway.exchanges.length]).toEqual(["", 0, 1]);
});

test.each([
  ["a size with a sign", "+3\r\nabc\r\n0\r\n\r\n"],
  ["a size with a prefix", "0x3\r\nabc\r\n0\r\n\r\n"],
  ["a size with an underscore", "1_0\r\nabc\r\n0\r\n\r\n"],
  ["a size with white space", "3 \r\nabc\r\n0\r\n\r\n"],
  ["no size", "\r\nabc\r\n0\r\n\r\n"],
  ["a size that overflows", "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"],
  ["a size line with a bare line feed", "3\nabc\r\n0\r\n\r\n"],
  ["a chunk that is longer than its size", "3\r\nabcd\r\n0\r\n\r\n"],
  ["a chunk that ends with a bare line feed", "3\r\nabc\n0\r\n\r\n"],
  ["extensions without end", `3;${"a=b;".repeat(2_000)}`],
  ["trailers without end", `0\r\n${`A: ${"b".repeat(1_000)}\r\n`.repeat(20)}`],
  ["a trailer that is none", "0\r\nnonsense\r\n\r\n"],
])("a chunked body with %s gets 400 and a close", async (_, body) => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(post(CHUNKED));
  client.send(body);
  const told = await client.answer();

  expect([told?.status, told?.fields.get("connection")]).toEqual([400, "close"]);
  expect([blue.arrivals, gateway.happened]).toEqual([[], []]);
});

test("the head that goes on is written anew: one framing, one Host, no hop's own fields", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(
    "DELETE http://real.test:8080/a?b HTTP/1.1\r\nHost: other.test\r\n" +
      "Connection: close, X-Hop, Host, Content-Length, X-Forwarded-For, Authorization\r\n" +
      "X-Hop: gone\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: close\r\n" +
      "Authorization: Basic abc\r\nX_Under: gone\r\nX-Kept: kept\r\n" +
      "Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  );
  const connection = await blue.accept();
  const request = await connection.request();
  connection.reply(200);
  await client.answer();

  expect(request.headText.replace(/X-Request-Id: \w+/, "X-Request-Id: ID").split("\r\n")).toEqual([
    "DELETE /a?b HTTP/1.1",
    "Host: real.test:8080",
    "Authorization: Basic abc",
    "X-Kept: kept",
    "Transfer-Encoding: chunked",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Host: real.test:8080",
    `X-Forwarded-Port: ${gateway.port}`,
    'Forwarded: for=127.0.0.1;host="real.test:8080";proto=http',
    "Via: 1.1 understudy",
    "X-Request-Id: ID",
  ]);
  expect(request.body).toBe("abc");
});

test("the head of an answer is written anew, and each cookie keeps its line", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send(
    "HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nConnection: X-Hop\r\nX-Hop: gone\r\n" +
      "Keep-Alive: timeout=5\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
  );
  const told = await client.answer();

  expect(told?.headText.split("\r\n")).toEqual([
    "HTTP/1.1 200 Fine",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "Content-Length: 2",
    "Via: 1.1 understudy",
  ]);
});

test("an answer framed twice is read by its chunks alone", async () => {
  await using blue = await startHandServer();
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });
  await using client = await connectRaw(gateway);

  client.send(requestText({}));
  const connection = await blue.request();
  connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`);
  const told = await client.answer();

  expect([told?.fields.get("content-length"), told?.body]).toEqual([undefined, "ok"]);
});

test("a claim about others is believed of trusted proxies only", async () => {
  await using blue = await startScriptedServer([OK]);
  const claims = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.test",
    "X-Real-IP": "203.0.113.9",
  };

  for (const trusted of ["127.0.0.0/8", "10.0.0.0/8"]) {
    await using gateway = await startTestGateway({
      pools: { blue: [blue] },
      top: { trusted_proxies: [trusted] },
    });
    await ask(gateway, { fields: claims });
  }

  const names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"];
  expect(blue.arrivals.map(({ fields }) => names.map((name) => fields.get(name)))).toEqual([
    ["203.0.113.9, 127.0.0.1", "https", "shop.test", "203.0.113.9"],
    ["127.0.0.1", "http", "gateway.test", undefined],
  ]);
});

test("host_header: server sends the server's own name", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({
    pools: { blue: [blue] },
    group: { host_header: "server" },
  });

  await ask(gateway);

  const fields = blue.arrivals[0]?.fields;
  expect([fields?.get("host"), fields?.get("x-forwarded-host")]).toEqual([
    `127.0.0.1:${blue.port}`,
    "gateway.test",
  ]);
});

test("a request id of the client is kept where it can stand in a log, else made", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  await ask(gateway, { fields: { "X-Request-Id": "trace-1" } });
  await ask(gateway, { fields: { "X-Request-Id": 'evil" value' } });
  await ask(gateway);

  const ids = blue.arrivals.map(({ fields }) => fields.get("x-request-id"));
  expect(ids).toEqual(gateway.exchanges.map(({ requestId }) => requestId));
  expect([ids[0], new Set(ids).size, ids.includes('evil" value')]).toEqual(["trace-1", 3, false]);
});

test("OPTIONS * and a path with two slashes go on as they are", async () => {
  await using blue = await startScriptedServer([OK]);
  await using gateway = await startTestGateway({ pools: { blue: [blue] } });

  await ask(gateway, { method: "OPTIONS", path: "*" });
  await ask(gateway, { path: "//host/x?y=@z" });

  expect(blue.arrivals.map(({ path }) => path)).toEqual(["*", "//host/x?y=@z"]);
  expect(storyOf(await gateway.exchange(1))[0]).toBe("GET //host/x?y=@z 200");
});

function post(fields: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

function get(fields: string): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}
