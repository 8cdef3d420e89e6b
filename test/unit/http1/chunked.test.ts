import { describe, expect, test } from "vitest";
import { ChunkedDecoder } from "../../../src/http1/chunked.ts";

interface Decoded {
  readonly state: string;
  readonly body: string;
  readonly trailers: string;
  /** What was not taken. */
  readonly rest: string;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Decodes in pieces of `step` bytes. */
function decode(text: string, step = text.length): Decoded & { readonly reason: string } {
  const decoder = new ChunkedDecoder();
  const bytes = bytesOf(text);
  let body = "";
  let at = 0;
  while (at < bytes.length && decoder.state === "more") {
    const end = Math.min(bytes.length, at + step);
    at = decoder.read(bytes, at, end, (run, from, to) => {
      body += String.fromCharCode(...run.subarray(from, to));
    });
  }
  const { state, trailers, reason } = decoder;
  return { state, body, trailers, rest: text.slice(at), reason };
}

const END = "0\r\n\r\n";

const DECODED: [what: string, text: string, expected: Partial<Decoded>][] = [
  ["no chunk", END, {}],
  ["one chunk", `5\r\nhello\r\n${END}`, { body: "hello" }],
  ["several", `1\r\na\r\n2\r\nbc\r\n${END}`, { body: "abc" }],
  ["hex digits in both cases", `0aA\r\n${"x".repeat(170)}\r\n${END}`, { body: "x".repeat(170) }],
  ["a body that looks like chunks", `5\r\n0\r\n\r\n\r\n${END}`, { body: "0\r\n\r\n" }],
  ["the next message behind it", `${END}GET / HTTP/1.1`, { rest: "GET / HTTP/1.1" }],
  ["several zeros at the end", "000\r\n\r\n", {}],
  ["an extension", `1;a\r\nx\r\n${END}`, { body: "x" }],
  ["with a value", `1;a=bcd;e=f\r\nx\r\n0;e\r\n\r\n`, { body: "x" }],
  ["with a quoted value", `1;a="b;\\"\t\u00e4"\r\nx\r\n${END}`, { body: "x" }],
  ["and more behind the quotes", `1;a="";b=c\r\nx\r\n${END}`, { body: "x" }],
  ["trailers", "0\r\nA: b\r\nc:\td \r\n\r\n", { trailers: "A: b\r\nc: d\r\n" }],
  ["a trailer without value", "0\r\nA:\r\n\r\n", { trailers: "A: \r\n" }],
  [
    "trailers that may not go on",
    "0\r\nContent-Length: 5\r\nhost: x\r\nX-Forwarded-For: y\r\nA: b\r\nC_D: e\r\nCookie: f\r\n\r\n",
    { trailers: "A: b\r\n" },
  ],
];

describe("a chunked body is decoded, cut at any byte", () => {
  test.each(DECODED)("%s", (_, text, differs) => {
    const expected = { state: "done", body: "", trailers: "", rest: "", reason: "", ...differs };

    const decoded = [text.length, 1, 2, 3, 7].map((step) => decode(text, step));

    expect(decoded).toEqual(decoded.map(() => expected));
  });
});

const MALFORMED: [what: string, text: string, reason: string][] = [
  ["no size", "\r\n", "chunk without a size"],
  ["an extension without size", ";a\r\n", "chunk without a size"],
  ["a sign", "+5\r\n", "chunk without a size"],
  ["a minus", "-1\r\n", "chunk without a size"],
  ["0x", "0x5\r\n", "chunk size with a character that is not a hex digit"],
  ["an underscore", "1_0\r\n", "chunk size with a character that is not a hex digit"],
  ["a space before", " 5\r\n", "chunk without a size"],
  ["a space behind", "5 \r\n", "chunk size with a character that is not a hex digit"],
  [
    "a space before an extension",
    "5 ;a\r\n",
    "chunk size with a character that is not a hex digit",
  ],
  ["a letter behind f", "g\r\n", "chunk without a size"],
  ["a bare LF behind the size", "5\nhello", "chunk size with a character that is not a hex digit"],
  ["a bare CR behind the size", "5\rhello", "chunk size not ended by CRLF"],
  ["a size of 2^53", "20000000000000\r\n", "chunk size too large"],
  ["a size that wraps 64 bits", "10000000000000005\r\n", "chunk size too large"],
  ["too many zeros", `${"0".repeat(17)}\r\n`, "chunk size too large"],
  ["data longer than its size", "1\r\nab\r\n", "chunk longer than its size"],
  ["a bare LF behind the data", "1\r\na\n", "chunk longer than its size"],
  ["a bare CR behind the data", "1\r\na\r0", "chunk not ended by CRLF"],
  ["an empty extension", "1;\r\n", "malformed chunk extension"],
  ["a space in an extension", "1; a\r\n", "malformed chunk extension"],
  ["a space in an extension's name", "1;a b\r\n", "malformed chunk extension"],
  ["an extension without value", "1;a=\r\n", "malformed chunk extension"],
  ["a value of a semicolon", "1;a=;b\r\n", "malformed chunk extension"],
  ["an equals sign first", "1;=a\r\n", "malformed chunk extension"],
  ["two equals signs", "1;a=b=c\r\n", "malformed chunk extension"],
  ["a bare LF in an extension", "1;a\nx", "malformed chunk extension"],
  ["a CR in quotes", '1;a="\r\n', "malformed chunk extension"],
  ["a LF behind a backslash", '1;a="\\\n', "malformed chunk extension"],
  ["text behind the quotes", '1;a="b"c\r\n', "malformed chunk extension"],
  ["a NUL in an extension", "1;a\u0000\r\n", "malformed chunk extension"],
  ["extensions too long", `1;${"a".repeat(4097)}\r\n`, "chunk extensions too long"],
  [
    "extensions too long in sum",
    `1;${"a".repeat(63)}\r\nx\r\n`.repeat(65),
    "chunk extensions too long",
  ],
  ["a trailer without colon", "0\r\nabc\r\n\r\n", "malformed trailer"],
  ["a trailer without name", "0\r\n: a\r\n\r\n", "malformed trailer"],
  ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "malformed trailer"],
  ["white space before its colon", "0\r\nA : b\r\n\r\n", "malformed trailer"],
  ["a bare LF in it", "0\r\nA: b\n", "trailer with a character that is not allowed"],
  ["a bare CR in it", "0\r\nA: b\rC", "trailer not ended by CRLF"],
  ["a NUL in it", "0\r\nA: \u0000\r\n", "trailer with a character that is not allowed"],
  ["a bare LF at the end", "0\r\n\n", "trailer with a character that is not allowed"],
  ["trailers too long", `0\r\nA: ${"b".repeat(16_384)}\r\n\r\n`, "trailers too long"],
];

describe("a malformed chunked body is refused, cut at any byte", () => {
  test.each(MALFORMED)("%s", (_, text, reason) => {
    const whole = decode(text);
    const bytewise = decode(text, 1);

    expect(whole).toMatchObject({ state: "malformed", reason });
    expect(bytewise).toEqual(whole);
  });
});

test("an unfinished body wants more", () => {
  const text = '3;a="b"\r\nabc\r\n0\r\nA: b\r\n\r\n';

  const states = Array.from(text, (_, length) => decode(text.slice(0, length)).state);

  expect(new Set(states)).toEqual(new Set(["more"]));
});

test("nothing is read behind the end", () => {
  const decoder = new ChunkedDecoder();
  const sink = (): never => {
    throw new Error("a body where none is");
  };

  const first = decoder.read(bytesOf(`${END}5\r\nhello`), 0, 10, sink);
  const second = decoder.read(bytesOf("5\r\nhello"), 0, 8, sink);

  expect([first, second, decoder.state]).toEqual([END.length, 0, "done"]);
});

test("nothing is read behind the bytes that are there", () => {
  const decoder = new ChunkedDecoder();

  const at = decoder.read(bytesOf("5"), 0, 3, () => {});

  expect([at, decoder.state]).toEqual([1, "more"]);
});
