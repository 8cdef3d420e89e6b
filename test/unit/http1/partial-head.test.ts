import { expect, test } from "vitest";
import {
  checkPartialHead,
  findHeadEnd,
  parseRequestHead,
} from "../../../src/http1/request-head.ts";
import { checkPartialResponse } from "../../../src/http1/response-head.ts";
import { get, head, LIMITS } from "./heads.ts";

const EARLY: [status: number, what: string, text: string][] = [
  [400, "a TLS hello", "\u0016\u0003\u0001"],
  [400, "a space first", " "],
  [400, "a line feed first", "\n"],
  [400, "no token before the target", "G(T "],
  [400, "a line without version", "GET /\r"],
  [400, "another protocol", "GET / X"],
  [400, "a bare LF behind the line", "GET / HTTP/1.1\n"],
  [400, "a fragment", "GET /a#"],
  [400, "a third empty line", "\r\n\r\n\r\n"],
  [400, "CR CR", "\r\r"],
  [400, "a bare LF in a field", "GET / HTTP/1.1\r\nA: b\nC"],
  [400, "a bare CR in a field", "GET / HTTP/1.1\r\nA: b\rC"],
  [400, "a NUL in a field", "GET / HTTP/1.1\r\nA: \u0000"],
  [501, "a long method", "M".repeat(33)],
  [414, "a long target", `GET /${"a".repeat(64)}`],
  [431, "a large head", `GET / HTTP/1.1\r\nA: ${"b".repeat(2048)}`],
];

test.each(EARLY)("%i before the head is whole: %s", (status, _, text) => {
  expect(checkPartialHead(text, LIMITS)).toEqual({ status, reason: expect.any(String) });
});

const VALID = [
  get("A: b\tc", "D: \u00ff"),
  `\r\n\r\n${get()}`,
  head("OPTIONS * HTTP/1.0"),
  head(`GET /${"a".repeat(63)} HTTP/1.1`, "Host: a"),
];

test.each(VALID)("no part of the valid head %j is refused, wherever it is cut", (text) => {
  const refused = [];

  for (let cut = 0; cut < text.length; cut += 1) {
    const part = text.slice(0, cut);
    if (findHeadEnd(part) !== -1) refused.push(part);
    for (let from = 0; from <= cut; from += 1) {
      if (checkPartialHead(part, LIMITS, from) !== undefined) refused.push([part, from]);
    }
  }

  expect(refused).toEqual([]);
  expect(findHeadEnd(text)).toBe(text.length);
  expect(parseRequestHead(text, LIMITS).kind).toBe("request");
});

test.each(["GET / HTTP/1.1\r\nA: b\nC", "GET / HTTP/1.1\r\nA: b\rC"])(
  "the fault in %j is found behind any seam of two reads",
  (text) => {
    const found = [16, 17, 18, 19, 20].map((from) => checkPartialHead(text, LIMITS, from)?.status);

    expect(found).toEqual([400, 400, 400, 400, 400]);
  },
);

test("what was checked before is not checked again", () => {
  const text = "GET / HTTP/1.1\r\nA: b\nC: d";

  expect(checkPartialHead(text, LIMITS, text.length)).toBeUndefined();
});

const ANSWERS: [what: string, text: string, status: number | undefined][] = [
  ["nothing", "", undefined],
  ["its first letters", "HTT", undefined],
  ["a status line", "HTTP/1.1 2", undefined],
  ["another protocol", "SSH-2.0", 502],
  ["another version", "HTTP/2", 502],
  ["an empty line", "\r\nHTTP/1.1", 502],
  ["a field with a bare line feed", "HTTP/1.1 200 OK\nA: b", 502],
  ["a field with a bare carriage return", "HTTP/1.1 200 OK\r\nA: b\rc", 502],
  ["a field with NUL", "HTTP/1.1 200 OK\r\nA: \0", 502],
  ["a line that ends with what may follow", "HTTP/1.1 200 OK\r", undefined],
  ["too much", `HTTP/1.1 200 ${"a".repeat(2048)}`, 502],
];

test.each(ANSWERS)("an unfinished answer that is %s is judged", (_, text, status) => {
  expect(checkPartialResponse(text, LIMITS)?.status).toBe(status);
});
