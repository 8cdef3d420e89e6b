import { expect, test } from "vitest";
import { checkPartialHead, parseRequestHead } from "../../../src/http1/request-head.ts";
import { parseResponseHead } from "../../../src/http1/response-head.ts";
import { get, head } from "./heads.ts";

const BYTES = 64_000;
const LIMITS = { headBytes: 1_000_000, targetBytes: 1_000_000, fieldCount: 100_000 };
/** Far above the few milliseconds that they take, far below the seconds of a quadratic search. */
const MAX_MS = 500;

function fill(unit: string): string {
  return unit.repeat(BYTES / unit.length);
}

const BLANKS = "Connection Transfer-Encoding Keep-Alive Content-Length Host Upgrade Expect X"
  .split(" ")
  .map((name) => [`blanks in ${name}`, [`${name}: a${fill(" ")}b`]] as const);

const HEADS: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ...BLANKS,
  ["blanks and tabs in Connection", [`Connection: a${fill(" \t")}b`]],
  ["commas in Connection", [`Connection: ${fill("a,")}`]],
  ["as many nominated names as fields", [`Connection: ${fill("x,y,")}`, fill("x: y\r\n") + "z: a"]],
  ["a long name", [fill("a")]],
  ["a long value with a fault at its end", [`a: ${fill("b")}\0`]],
  ["many lines with a fault at their end", [`${fill("a:b\r\n")}c`]],
  ["underscores", [`${fill("a_:b\r\n")}c:d`]],
  ["colons", [fill(":")]],
  ["a long host", [`Host: ${fill("%41")}/`]],
  ["a long address", [`Host: [${fill("1:")}]`]],
  ["timeouts", [`Keep-Alive: ${fill("timeout=")}`]],
  ["codings", [`Transfer-Encoding: ${fill("a,")}chunked`]],
];

test.each(HEADS)("no head takes long to read: %s", (_, lines) => {
  const startedAt = performance.now();

  parseRequestHead(get(...lines), LIMITS);
  checkPartialHead(get(...lines).slice(0, -4), LIMITS);
  parseResponseHead(head("HTTP/1.1 200 OK", ...lines), "GET", LIMITS);

  expect(performance.now() - startedAt).toBeLessThan(MAX_MS);
});

test("no first line takes long to read", () => {
  const startedAt = performance.now();

  for (const target of [fill("a"), `/${fill("?")}#`, `http://${fill("a:")}`, fill("http://")]) {
    parseRequestHead(head(`GET ${target} HTTP/1.1`), LIMITS);
    checkPartialHead(`GET ${target}`, LIMITS);
  }

  expect(performance.now() - startedAt).toBeLessThan(MAX_MS);
});
