import { describe, expect, test } from "vitest";
import { parseRequestHead } from "../../../src/http1/request-head.ts";
import { get, head, LIMITS, post } from "./heads.ts";

type Row = [status: number, what: string, text: string];

function line(text: string): string {
  return head(text, "Host: a.example");
}

function host(value: string): string {
  return head("GET / HTTP/1.1", `Host: ${value}`);
}

const FIRST_LINE: Row[] = [
  [400, "HTTP/0.9", "GET /\r\n\r\n"],
  [505, "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n"],
  [505, "HTTP/1.2", line("GET / HTTP/1.2")],
  [505, "HTTP/0.9 that says so", line("GET / HTTP/0.9")],
  [400, "a version with more digits", line("GET / HTTP/1.10")],
  [400, "a version in lower case", line("GET / http/1.1")],
  [400, "another protocol", line("GET / RTSP/1.0")],
  [400, "two spaces behind the method", line("GET  / HTTP/1.1")],
  [400, "two spaces before the version", line("GET /  HTTP/1.1")],
  [400, "a space at the end", line("GET / HTTP/1.1 ")],
  [400, "a space at the beginning", line(" GET / HTTP/1.1")],
  [400, "tabs instead of spaces", line("GET\t/\tHTTP/1.1")],
  [400, "a space in the target", line("GET /a b HTTP/1.1")],
  [400, "no target", line("GET HTTP/1.1")],
  [400, "an empty first line", "\r\n\r\n\r\n"],
  [400, "three empty lines", `\r\n\r\n\r\n${get()}`],
  [400, "a method that is no token", line("G(T / HTTP/1.1")],
  [501, "a long method", line(`${"M".repeat(33)} / HTTP/1.1`)],
  [405, "CONNECT", line("CONNECT a.example:443 HTTP/1.1")],
  [405, "connect in lower case", line("connect a.example:443 HTTP/1.1")],
  [400, "a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n"],
  [400, "a bare LF behind it", "GET / HTTP/1.1\nHost: a.example\r\n\r\n"],
  [400, "a bare CR behind it", "GET / HTTP/1.1\rHost: a.example\r\n\r\n"],
  [400, "nothing at all", ""],
];

const TARGET: Row[] = [
  [400, "a fragment", line("GET /a#b HTTP/1.1")],
  [400, "a byte over 0x7f", line("GET /\u00e4 HTTP/1.1")],
  [400, "a control character", line("GET /\u0001 HTTP/1.1")],
  [400, "DEL", line("GET /\u007f HTTP/1.1")],
  [400, "a relative path", line("GET a/b HTTP/1.1")],
  [400, "a query alone", line("GET ?a HTTP/1.1")],
  [400, "an authority", line("GET a.example:80 HTTP/1.1")],
  [400, "a concatenated host", line("GET @evil.example HTTP/1.1")],
  [400, "* of a GET", line("GET * HTTP/1.1")],
  [400, "another scheme", line("GET ftp://a.example/ HTTP/1.1")],
  [400, "https without TLS", line("GET https://a.example/ HTTP/1.1")],
  [400, "user information", line("GET http://me@a.example/ HTTP/1.1")],
  [400, "an empty authority", line("GET http:///x HTTP/1.1")],
  [400, "a backslash in the authority", line("GET http://a.example\\@b/ HTTP/1.1")],
  [400, "an absolute target without Host", head("GET http://a.example/ HTTP/1.1")],
  [414, "one byte too long", line(`GET /${"a".repeat(64)} HTTP/1.1`)],
];

const HOST: Row[] = [
  [400, "none", head("GET / HTTP/1.1")],
  [400, "two", get("Host: b.example")],
  [400, "two that agree", get("Host: a.example")],
  [400, "two in HTTP/1.0", head("GET / HTTP/1.0", "Host: a", "Host: a")],
  [400, "empty", host("")],
  [400, "empty in HTTP/1.0", head("GET / HTTP/1.0", "Host:")],
  [400, "with a path", host("a.example/x")],
  [400, "with user information", host("me@a.example")],
  [400, "with a space", host("a b")],
  [400, "a list", host("a, b")],
  [400, "with a port that is no number", host("a:http")],
  [400, "with a port over 65535", host("a:65536")],
  [400, "with two ports", host("a:1:2")],
  [400, "with half an escape", host("a%4")],
  [400, "with a quote", host('a"b')],
  [400, "IPv6 without brackets", host("::1")],
];

const FIELDS: Row[] = [
  [400, "a bare LF", get("A: b\nC: d")],
  [400, "a bare CR", get("A: b\rC: d")],
  [400, "CR CR LF", get("A: b\r")],
  [400, "a NUL in a value", get("A: b\u0000")],
  [400, "an escape character in a value", get("A: \u001b[0m")],
  [400, "DEL in a value", get("A: \u007f")],
  [400, "a character that is no byte", get("A: \u0100")],
  [400, "one that latin1 would make a line feed", get("A: b\u010aC: d")],
  [400, "a folded line", get("A: b", " c")],
  [400, "a line folded with a tab", get("A: b", "\tc")],
  [400, "a folded first line", head("GET / HTTP/1.1", " Host: a.example")],
  [400, "a space before the colon", get("A : b")],
  [400, "a tab before the colon", get("A\t: b")],
  [400, "a space within a name", get("A B: c")],
  [400, "a name that is no token", get("A(B): c")],
  [400, "a byte over 0x7f in a name", get("\u00c4: b")],
  [400, "an empty name", get(": b")],
  [400, "no colon", get("A")],
  [400, "an empty line within", `${get()}A: b\r\n\r\n`],
  [400, "no end", "GET / HTTP/1.1\r\nHost: a.example\r\n"],
  [431, "one field too many", get(...Array.from({ length: 8 }, () => "A: b"))],
  [431, "a head too large", get(`A: ${"b".repeat(2048)}`)],
  [414, "a target that makes the head too large", line(`GET /${"a".repeat(2048)} HTTP/1.1`)],
  [417, "an unknown expectation", post("Content-Length: 1", "Expect: 200-ok")],
  [417, "an expectation sent twice", get("Expect: 100-continue", "Expect: 100-continue")],
  [400, "TRACE with a length", head("TRACE / HTTP/1.1", "Host: a", "Content-Length: 1")],
  [400, "TRACE with chunks", head("TRACE / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")],
];

const SMUGGLING: Row[] = [
  [400, "CL.TE", post("Content-Length: 6", "Transfer-Encoding: chunked")],
  [400, "TE.CL", post("Transfer-Encoding: chunked", "Content-Length: 6")],
  [400, "CL 0 and TE", post("Content-Length: 0", "Transfer-Encoding: chunked")],
  [400, "TE.TE with identity", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")],
  [400, "TE.TE with cow", post("Transfer-Encoding: chunked", "Transfer-encoding: cow")],
  [400, "chunked twice in two fields", post(...Array(2).fill("Transfer-Encoding: chunked"))],
  [400, "chunked twice in one field", post("Transfer-Encoding: chunked, chunked")],
  [400, "chunked not last", post("Transfer-Encoding: chunked, gzip")],
  [400, "identity", post("Transfer-Encoding: identity")],
  [400, "no coding", post("Transfer-Encoding:")],
  [400, "an empty element", post("Transfer-Encoding: ,chunked")],
  [400, "xchunked", post("Transfer-Encoding: xchunked")],
  [400, "chunked with a parameter", post("Transfer-Encoding: chunked;q=1")],
  [400, "chunked in quotes", post('Transfer-Encoding: "chunked"')],
  [400, "a parameter before it", post("Transfer-Encoding: gzip;x, chunked")],
  [400, "chunked by a vertical tab", post("Transfer-Encoding:\u000bchunked")],
  [400, "a space before the colon", post("Transfer-Encoding : chunked")],
  [400, "folded", post("Transfer-Encoding:", " chunked")],
  [400, "behind a bare LF", post("X: x\nTransfer-Encoding: chunked")],
  [400, "in HTTP/1.0", head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked")],
  [501, "another coding before chunked", post("Transfer-Encoding: gzip, chunked")],
  [501, "two before chunked", post("Transfer-Encoding: gzip", "Transfer-Encoding: br, chunked")],
  [400, "differing lengths", post("Content-Length: 5", "Content-Length: 6")],
  [400, "equal lengths", post("Content-Length: 5", "Content-Length: 5")],
  [400, "equal lengths in one field", post("Content-Length: 5, 5")],
  [400, "an empty length", post("Content-Length:")],
  [400, "+5", post("Content-Length: +5")],
  [400, "-5", post("Content-Length: -5")],
  [400, "0x5", post("Content-Length: 0x5")],
  [400, "5.0", post("Content-Length: 5.0")],
  [400, "5e1", post("Content-Length: 5e1")],
  [400, "1_000", post("Content-Length: 1_000")],
  [400, "5 5", post("Content-Length: 5 5")],
  [400, "digits of another script", post("Content-Length: \u00b2")],
  [400, "2^53", post("Content-Length: 9007199254740992")],
  [400, "2^64 + 5", post("Content-Length: 18446744073709551621")],
];

function refusals(title: string, rows: Row[]): void {
  describe(title, () => {
    test.each(rows)("%i: %s", (status, _, text) => {
      expect(parseRequestHead(text, LIMITS)).toEqual({ status, reason: expect.any(String) });
    });
  });
}

refusals("a first line is refused", FIRST_LINE);
refusals("a target is refused", TARGET);
refusals("Host is refused", HOST);
refusals("a field is refused", FIELDS);
refusals("an attempt to smuggle is refused", SMUGGLING);

const REASONS: [text: string, reason: string][] = [
  ["GET /\r\n\r\n", "first line is not METHOD target HTTP/1.1"],
  [line("GET / HTTP/2.0"), "HTTP version 2.0 is not supported"],
  [line("GET /# HTTP/1.1"), "request target with a character that is not allowed"],
  [get(" a"), "folded field line"],
  [get("a"), "field line without a colon"],
  [get(":a"), "field without a name"],
  [get("a : b"), "white space before the colon of a field"],
  [get("a(: b"), "field name with a character that is not allowed"],
  [get("a: \u0001"), "control character, bare carriage return or bare line feed in a field value"],
  [`${get()}\r\n`, "empty line within the head"],
  [get().slice(0, -2), "head does not end with one empty line"],
];

test.each(REASONS)("the reason that %j is refused is told", (text, reason) => {
  expect(parseRequestHead(text, LIMITS)).toMatchObject({ reason });
});
