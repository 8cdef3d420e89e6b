import { expect, test } from "vitest";
import { serialiseResponse } from "../../../src/http1/forward-response.ts";
import type { Delivery } from "../../../src/http1/forward-response.ts";
import { head, readAnswer } from "./heads.ts";

const DELIVERY: Delivery = { clientMinor: 1, keepAlive: true, framing: 5, extra: "" };
const VIA = "Via: 1.1 understudy";

type Row = [
  what: string,
  lines: string[],
  method: string,
  delivery: Partial<Delivery>,
  goesOn: string[],
];

const OK = "HTTP/1.1 200 OK";
const LENGTH = "Content-Length: 5";

const DELIVERED: Row[] = [
  ["a plain answer", [OK, LENGTH, "A: b"], "GET", {}, [OK, "A: b", LENGTH, VIA]],
  ["an empty reason", ["HTTP/1.1 200", LENGTH], "GET", {}, ["HTTP/1.1 200 ", LENGTH, VIA]],
  [
    "cookies line by line",
    [OK, "Set-Cookie: a", LENGTH, "Set-Cookie: b"],
    "GET",
    {},
    [OK, "Set-Cookie: a", "Set-Cookie: b", LENGTH, VIA],
  ],
  [
    "no hop-by-hop field",
    [OK, "Connection: keep-alive, X-Hop", "x-hop: 1", "Keep-Alive: timeout=5", "TE: x", LENGTH],
    "GET",
    {},
    [OK, LENGTH, VIA],
  ],
  [
    "no upgrade that was not made",
    [OK, "Upgrade: h2c", "HTTP2-Settings: x", "Proxy-Connection: x", LENGTH],
    "GET",
    {},
    [OK, LENGTH, VIA],
  ],
  [
    "what an origin asks of a client",
    [OK, "Proxy-Authenticate: Basic", "Trailer: A", "a_b: c", "X-Forwarded-X: y", LENGTH],
    "GET",
    {},
    [OK, "Proxy-Authenticate: Basic", "Trailer: A", "a_b: c", "X-Forwarded-X: y", LENGTH, VIA],
  ],
  [
    "chunks",
    [OK, "Transfer-Encoding: chunked"],
    "GET",
    { framing: "chunked" },
    [OK, "Transfer-Encoding: chunked", VIA],
  ],
  [
    "an open end",
    [OK],
    "GET",
    { framing: "close", keepAlive: false },
    [OK, "Connection: close", VIA],
  ],
  [
    "chunks to HTTP/1.0",
    [OK, "Transfer-Encoding: chunked"],
    "GET",
    { clientMinor: 0, framing: "close", keepAlive: false },
    [OK, "Connection: close", VIA],
  ],
  [
    "keep-alive to HTTP/1.0",
    [OK, LENGTH],
    "GET",
    { clientMinor: 0 },
    [OK, LENGTH, "Connection: keep-alive", VIA],
  ],
  [
    "an answer of HTTP/1.0",
    ["HTTP/1.0 200 OK", LENGTH, "Via: 1.0 cache"],
    "GET",
    {},
    [OK, "Via: 1.0 cache", LENGTH, "Via: 1.0 understudy"],
  ],
  [
    "further lines at the end",
    [OK, LENGTH],
    "GET",
    { extra: "X-Request-Id: r1\r\n" },
    [OK, LENGTH, VIA, "X-Request-Id: r1"],
  ],
  ["the length to HEAD", [OK, LENGTH], "HEAD", { framing: 0 }, [OK, LENGTH, VIA]],
  ["no length to HEAD", [OK], "HEAD", { framing: 0 }, [OK, VIA]],
  [
    "the length of 304",
    ["HTTP/1.1 304 Not Modified", LENGTH, 'ETag: "x"'],
    "GET",
    { framing: 0 },
    ["HTTP/1.1 304 Not Modified", 'ETag: "x"', LENGTH, VIA],
  ],
  [
    "no length of 204",
    ["HTTP/1.1 204 No Content", "Content-Length: 0"],
    "GET",
    { framing: 0 },
    ["HTTP/1.1 204 No Content", VIA],
  ],
  [
    "an interim answer",
    ["HTTP/1.1 103 Early Hints", "Link: </a.css>", "Content-Length: 0"],
    "GET",
    { framing: 0, keepAlive: false },
    ["HTTP/1.1 103 Early Hints", "Link: </a.css>", VIA],
  ],
  [
    "a switch of protocols",
    [
      "HTTP/1.1 101 Switching Protocols",
      "Connection: Upgrade",
      "Upgrade: WebSocket",
      "Sec-WebSocket-Accept: x",
    ],
    "GET",
    { framing: 0 },
    [
      "HTTP/1.1 101 Switching Protocols",
      "Sec-WebSocket-Accept: x",
      "Connection: Upgrade",
      "Upgrade: websocket",
      VIA,
    ],
  ],
];

test.each(DELIVERED)("delivered: %s", (_, lines, method, delivery, goesOn) => {
  const answer = readAnswer(head(...lines), method);

  expect(serialiseResponse(answer, { ...DELIVERY, ...delivery })).toBe(head(...goesOn));
});

test("an answer's status and reason are its own, whatever the one before had", () => {
  const lines = ["HTTP/1.1 200 OK", "HTTP/1.1 200 Fine", "HTTP/1.1 201 Fine", "HTTP/1.1 200 OK"];

  for (const line of lines) {
    const text = serialiseResponse(readAnswer(head(line, LENGTH)), DELIVERY);
    expect(text).toBe(head(line, LENGTH, VIA));
  }
});
