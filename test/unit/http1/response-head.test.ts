import { describe, expect, test } from "vitest";
import { parseResponseHead } from "../../../src/http1/response-head.ts";
import type { ResponseHead } from "../../../src/http1/response-head.ts";
import { head, LIMITS, readAnswer } from "./heads.ts";

type Facts = Partial<ResponseHead>;

const PLAIN = {
  kind: "response",
  status: 200,
  reason: "OK",
  minor: 1,
  framing: 5,
  contentLength: 5,
  keepAlive: true,
  keepAliveTimeoutMs: undefined,
  upgrade: undefined,
  nominated: new Set(),
  retryAfter: false,
  appPool: undefined,
  releaseId: undefined,
  isBodiless: false,
} satisfies Facts;

const OPEN_END = { framing: "close", contentLength: undefined, keepAlive: false } as const;
const CHUNKED = { framing: "chunked", contentLength: undefined } as const;
const BODILESS = { framing: 0, isBodiless: true } as const;

function ok(...lines: string[]): string {
  return head("HTTP/1.1 200 OK", "Content-Length: 5", ...lines);
}

const READ: [what: string, text: string, method: string, differs: Facts][] = [
  ["a plain answer", ok(), "GET", {}],
  ["no reason", head("HTTP/1.1 200 ", "Content-Length: 5"), "GET", { reason: "" }],
  ["no space before it", head("HTTP/1.1 200", "Content-Length: 5"), "GET", { reason: "" }],
  [
    "a reason with obs-text",
    head("HTTP/1.1 404 nicht da \u00e4\t", "Content-Length: 5"),
    "GET",
    { status: 404, reason: "nicht da \u00e4\t" },
  ],
  ["close", ok("Connection: close"), "GET", { keepAlive: false }],
  ["HTTP/1.0", head("HTTP/1.0 200 OK", "Content-Length: 5"), "GET", { minor: 0, keepAlive: false }],
  [
    "HTTP/1.0 with keep-alive",
    head("HTTP/1.0 200 OK", "Content-Length: 5", "Connection: keep-alive"),
    "GET",
    { minor: 0 },
  ],
  ["no framing", head("HTTP/1.1 200 OK"), "GET", OPEN_END],
  ["chunks", head("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"), "GET", CHUNKED],
  [
    "chunks with a length, which is dropped",
    ok("Transfer-Encoding: chunked"),
    "GET",
    { ...CHUNKED, keepAlive: false },
  ],
  ["an answer to HEAD", ok(), "HEAD", BODILESS],
  [
    "an answer to HEAD with chunks",
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
    "HEAD",
    { ...BODILESS, contentLength: undefined },
  ],
  [
    "an answer to HEAD without framing",
    head("HTTP/1.1 200 OK"),
    "HEAD",
    { ...BODILESS, contentLength: undefined },
  ],
  [
    "304 with a length",
    head("HTTP/1.1 304 Not Modified", "Content-Length: 5"),
    "GET",
    { ...BODILESS, status: 304, reason: "Not Modified" },
  ],
  [
    "204",
    head("HTTP/1.1 204 No Content"),
    "GET",
    { ...BODILESS, status: 204, reason: "No Content", contentLength: undefined },
  ],
  [
    "204 with a length of 0",
    head("HTTP/1.1 204 No Content", "Content-Length: 0"),
    "GET",
    { ...BODILESS, status: 204, reason: "No Content", contentLength: 0 },
  ],
  [
    "204 with a length, behind which a body may come",
    head("HTTP/1.1 204 No Content", "Content-Length: 5"),
    "GET",
    { ...BODILESS, status: 204, reason: "No Content", keepAlive: false },
  ],
  [
    "204 with chunks",
    head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"),
    "GET",
    { ...BODILESS, status: 204, reason: "No Content", contentLength: undefined, keepAlive: false },
  ],
  [
    "100",
    head("HTTP/1.1 100 Continue"),
    "POST",
    { ...BODILESS, status: 100, reason: "Continue", contentLength: undefined },
  ],
  [
    "101",
    head("HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: WebSocket"),
    "GET",
    {
      ...BODILESS,
      status: 101,
      reason: "Switching",
      contentLength: undefined,
      keepAlive: false,
      upgrade: "websocket",
    },
  ],
  [
    "101 that Connection does not confirm",
    head("HTTP/1.1 101 Switching", "Upgrade: websocket"),
    "GET",
    { ...BODILESS, status: 101, reason: "Switching", contentLength: undefined, keepAlive: false },
  ],
  [
    "101 to more than one protocol",
    head("HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: websocket", "Upgrade:"),
    "GET",
    { ...BODILESS, status: 101, reason: "Switching", contentLength: undefined, keepAlive: false },
  ],
  ["Upgrade of another status", ok("Connection: upgrade", "Upgrade: websocket"), "GET", {}],
  ["Keep-Alive", ok("Keep-Alive: timeout=5, max=100"), "GET", { keepAliveTimeoutMs: 5000 }],
  [
    "Keep-Alive in another order",
    ok("Keep-Alive: max=1,Timeout=0"),
    "GET",
    { keepAliveTimeoutMs: 0 },
  ],
  [
    "Keep-Alive twice",
    ok("Keep-Alive: max=1", "Keep-Alive: timeout=2"),
    "GET",
    { keepAliveTimeoutMs: 2000 },
  ],
  ["Keep-Alive without timeout", ok("Keep-Alive: xtimeout=5"), "GET", {}],
  ["Keep-Alive that is absurd", ok("Keep-Alive: timeout=99999999999"), "GET", {}],
  [
    "who answers",
    ok("x-app-pool: blue", "X-Release-ID:  r 7 ", "Retry-After: 1"),
    "GET",
    { appPool: "blue", releaseId: "r 7", retryAfter: true },
  ],
];

test.each(READ)("an answer is read: %s", (_, text, method, differs) => {
  const { passed: _passed, byteLength, ...rest } = readAnswer(text, method);

  expect(rest).toEqual({ ...PLAIN, ...differs });
  expect(byteLength).toBe(text.length);
});

test("a field is found by its lower-case name", () => {
  const read = readAnswer(ok("Set-Cookie: a", "set-cookie: b"));

  expect([read.field("set-cookie"), read.field("content-length"), read.field("x")]).toEqual([
    "a, b",
    "5",
    undefined,
  ]);
});

describe("an answer is refused", () => {
  const REFUSED: [what: string, text: string][] = [
    ["empty line first", `\r\n${ok()}`],
    ["garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["HTTP/0.9", "<html>\r\n\r\n"],
    ["HTTP/1.2", head("HTTP/1.2 200 OK")],
    ["HTTP/2.0", head("HTTP/2.0 200 OK")],
    ["a version in lower case", head("http/1.1 200 OK")],
    ["status 600", head("HTTP/1.1 600 No")],
    ["status 099", head("HTTP/1.1 099 No")],
    ["two digits", head("HTTP/1.1 20 No")],
    ["four digits", head("HTTP/1.1 2000 No")],
    ["two spaces", head("HTTP/1.1  200 No")],
    ["a control character in the reason", head("HTTP/1.1 200 \u001b[0m")],
    ["a bare LF", "HTTP/1.1 200 OK\nA: b\r\n\r\n"],
    ["a bare CR", head("HTTP/1.1 200 OK\rA: b")],
    ["two lengths", ok("Content-Length: 5")],
    ["two lengths that differ", ok("Content-Length: 6")],
    ["a length that is none", head("HTTP/1.1 200 OK", "Content-Length: x")],
    ["a length that is none, to HEAD too", head("HTTP/1.1 304 OK", "Content-Length: -1")],
    ["another coding", head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked")],
    ["identity", head("HTTP/1.1 200 OK", "Transfer-Encoding: identity")],
    ["chunked twice", head("HTTP/1.1 200 OK", ...Array(2).fill("Transfer-Encoding: chunked"))],
    ["chunks in HTTP/1.0", head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")],
    ["a folded line", ok("A: b", " c")],
    ["white space before the colon", ok("A : b")],
    ["too many fields", ok(...Array.from({ length: 8 }, () => "A: b"))],
    ["too large", ok(`A: ${"b".repeat(2048)}`)],
    ["no end", ok().slice(0, -2)],
  ];

  test.each(REFUSED)("%s", (_, text) => {
    expect(parseResponseHead(text, "GET", LIMITS)).toEqual({
      status: 502,
      reason: expect.any(String),
    });
  });
});
