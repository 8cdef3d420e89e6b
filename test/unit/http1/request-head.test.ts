import { expect, test } from "vitest";
import { findHeadEnd, parseRequestHead } from "../../../src/http1/request-head.ts";
import type { RequestHead } from "../../../src/http1/request-head.ts";
import { get, head, LIMITS, post, readRequest } from "./heads.ts";

type Facts = Partial<RequestHead>;

const PLAIN = {
  kind: "request",
  method: "GET",
  rawTarget: "/",
  target: "/",
  path: "/",
  host: "a.example",
  minor: 1,
  framing: 0,
  keepAlive: true,
  expectsContinue: false,
  upgrade: undefined,
  nominated: new Set(),
} satisfies Facts;

function facts(text: string): Facts {
  const { fields: _fields, passed: _passed, byteLength: _byteLength, ...rest } = readRequest(text);
  return rest;
}

const WEBSOCKET = ["Connection: Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Key: dGVzdA=="];

const READ: [what: string, text: string, differs: Facts][] = [
  ["a plain GET", get(), {}],
  ["one empty line before it", `\r\n${get()}`, {}],
  ["two empty lines before it", `\r\n\r\n${get()}`, {}],
  ["a method in lower case", head("get / HTTP/1.1", "Host: a.example"), { method: "get" }],
  ["an extension method", head("M-SEARCH / HTTP/1.1", "Host: a.example"), { method: "M-SEARCH" }],
  [
    "path and query",
    head("GET /a?b=/?c HTTP/1.1", "Host: a.example"),
    { rawTarget: "/a?b=/?c", target: "/a?b=/?c", path: "/a" },
  ],
  [
    "a path that looks like an authority",
    head("GET //evil/@x HTTP/1.1", "Host: a.example"),
    { rawTarget: "//evil/@x", target: "//evil/@x", path: "//evil/@x" },
  ],
  [
    "OPTIONS of the server",
    head("OPTIONS * HTTP/1.1", "Host: a.example"),
    { method: "OPTIONS", rawTarget: "*", target: "*", path: "*" },
  ],
  [
    "an absolute target, whose authority replaces Host",
    head("GET HTTP://b.example:81/x?y HTTP/1.1", "Host: a.example"),
    { rawTarget: "HTTP://b.example:81/x?y", target: "/x?y", path: "/x", host: "b.example:81" },
  ],
  [
    "an absolute target without path",
    head("GET http://b.example?y HTTP/1.1", "Host: a.example"),
    { rawTarget: "http://b.example?y", target: "/?y", path: "/", host: "b.example" },
  ],
  [
    "OPTIONS of an absolute target without path",
    head("OPTIONS http://b.example HTTP/1.1", "Host: a.example"),
    {
      method: "OPTIONS",
      rawTarget: "http://b.example",
      target: "*",
      path: "*",
      host: "b.example",
    },
  ],
  ["Host with blanks around it", head("GET / HTTP/1.1", "hOST:\t a.example \t"), {}],
  ["HTTP/1.0", head("GET / HTTP/1.0", "Host: a.example"), { minor: 0, keepAlive: false }],
  ["HTTP/1.0 without Host", head("GET / HTTP/1.0"), { minor: 0, keepAlive: false, host: "" }],
  [
    "HTTP/1.0 with keep-alive",
    head("GET / HTTP/1.0", "Host: a.example", "Connection: Keep-Alive"),
    { minor: 0 },
  ],
  ["close", get("Connection: close"), { keepAlive: false }],
  [
    "close in a list",
    get("Connection: x, Close ,keep-alive"),
    { keepAlive: false, nominated: new Set(["x"]) },
  ],
  [
    "close in a second field",
    get("Connection: a", "Connection: close"),
    { keepAlive: false, nominated: new Set(["a"]) },
  ],
  ["keep-alive", get("Connection: keep-alive"), {}],
  ["a length", post("Content-Length: 12"), { method: "POST", framing: 12 }],
  ["a length of 0", post("Content-Length: 0"), { method: "POST" }],
  ["leading zeros", post("Content-Length: 0012"), { method: "POST", framing: 12 }],
  [
    "the largest length",
    post("Content-Length: 9007199254740991"),
    { method: "POST", framing: 9_007_199_254_740_991 },
  ],
  ["chunks", post("Transfer-Encoding: chunked"), { method: "POST", framing: "chunked" }],
  ["CHUNKS", post("Transfer-Encoding: CHUNKED\t"), { method: "POST", framing: "chunked" }],
  [
    "an expectation",
    post("Content-Length: 1", "Expect: 100-Continue"),
    { method: "POST", framing: 1, expectsContinue: true },
  ],
  ["an expectation without a body, which is none", get("Expect: 100-continue"), {}],
  [
    "an expectation in HTTP/1.0, which is none",
    head("POST / HTTP/1.0", "Host: a.example", "Content-Length: 1", "Expect: 100-continue"),
    { method: "POST", minor: 0, keepAlive: false, framing: 1 },
  ],
  ["a WebSocket handshake", get(...WEBSOCKET), { upgrade: "websocket" }],
  [
    "another protocol with a version",
    get("Connection: upgrade", "Upgrade: IRC/6.9"),
    { upgrade: "irc/6.9" },
  ],
  ["a WebSocket handshake without key", get(...WEBSOCKET.slice(0, 2)), {}],
  ["Upgrade that Connection does not name", get("Upgrade: websocket"), {}],
  ["Connection: upgrade without Upgrade", get("Connection: upgrade"), {}],
  ["an upgrade to h2c", get("Connection: upgrade", "Upgrade: h2c"), {}],
  ["an upgrade to one of two", get("Connection: upgrade", "Upgrade: irc, websocket"), {}],
  ["an upgrade of a POST", post(...WEBSOCKET), { method: "POST" }],
  ["an upgrade with a body", get(...WEBSOCKET, "Content-Length: 1"), { framing: 1 }],
  [
    "an upgrade in HTTP/1.0",
    head("GET / HTTP/1.0", "Host: a.example", ...WEBSOCKET),
    { minor: 0, keepAlive: false },
  ],
];

test.each(READ)("a request is read: %s", (_, text, differs) => {
  const expected = { ...PLAIN, ...differs };

  expect(facts(text)).toEqual(expected);
});

test("the length of a head counts the empty lines before it", () => {
  expect(readRequest(`\r\n${get()}`).byteLength).toBe(get().length + 2);
});

test("a https target is read on a connection with TLS", () => {
  const text = head("GET https://b.example/x HTTP/1.1", "Host: a.example");

  const read = parseRequestHead(text, LIMITS, "https");

  expect(read).toMatchObject({ kind: "request", target: "/x", host: "b.example" });
});

test("a field is found by its lower-case name, repeated ones joined", () => {
  const read = readRequest(
    get("Accept: a", "ACCEPT:b ", "Cookie: c=1", "cookie: d=2", "Empty:", "x_y: z"),
  );

  const names = ["accept", "cookie", "empty", "x_y", "host", "acce", "absent", "toString"];
  expect(names.map((name) => read.field(name))).toEqual([
    "a, b",
    "c=1; d=2",
    "",
    "z",
    "a.example",
    undefined,
    undefined,
    undefined,
  ]);
});

test.each(["user-agent", "referer", "traceparent", "x-request-id"])(
  "%s, which every log line asks for, is found like any other field",
  (name) => {
    const twice = readRequest(get(`${name}: a`, `${name.toUpperCase()}:b `));

    expect([twice.field(name), readRequest(get()).field(name)]).toEqual(["a, b", undefined]);
  },
);

const ENDS: [text: string, from: number | undefined, end: number][] = [
  ["", undefined, -1],
  ["GET / HTTP/1.1\r\nHost: a\r\n", undefined, -1],
  ["a\r\n\r\nb\r\n\r\n", undefined, 5],
  ["a\r\n\r\nb\r\n\r\n", 4, 10],
  ["\r\n\r\na\r\n\r\n", undefined, 9],
  ["\r\n\r\na\r\n\r\n", 1, 9],
  ["\r\n\r\n", undefined, -1],
  ["\r\n\r\n\r\n", undefined, 6],
  ["\r", undefined, -1],
];

test.each(ENDS)("the head in %j looked at from %s ends at %i", (text, from, end) => {
  expect(findHeadEnd(text, from)).toBe(end);
});
