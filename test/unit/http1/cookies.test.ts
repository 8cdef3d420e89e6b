import { describe, expect, test } from "vitest";
import { cookieValues, withoutCookie } from "../../../src/http1/cookies.ts";
import { FORWARDING, get, readRequest } from "./heads.ts";
import { serialiseRequest } from "../../../src/http1/forward-request.ts";

describe("values of the cookie c in", () => {
  test.each<[string, readonly string[]]>([
    ["c=1", ["1"]],
    ["a=0; c=1; b=2", ["1"]],
    ["c=1;c=2 ; \tc = 3", ["1", "2", "3"]],
    ["c=", [""]],
    ["c=a=b", ["a=b"]],
    ['c="1"', ['"1"']],
    ["cc=1; C=2; xc=3; c; \u00a0c=4", []],
    ["", []],
  ])("%j are %j", (cookies, values) => {
    expect(cookieValues(cookies, "c")).toEqual(values);
  });
});

describe("without the cookie c", () => {
  test.each<[string, string]>([
    ["Cookie: c=1\r\n", ""],
    ["Cookie: c=1; c=2;c=3\r\n", ""],
    ["Cookie: c=1; b=2\r\n", "Cookie: b=2\r\n"],
    ["Cookie: a=0; c=1\r\n", "Cookie: a=0\r\n"],
    ["Cookie: a=0;  c=1;b=2 ;d\r\n", "Cookie: a=0;b=2 ;d\r\n"],
    ["COOKIE:a=\u00e4\u00a0;c=1\r\n", "COOKIE: a=\u00e4\u00a0\r\n"],
    ["Cookie:   cc=1;;C=2; xc=3; c \t\r\n", "Cookie:   cc=1;;C=2; xc=3; c \t\r\n"],
    ["A: c=1\r\nCookie: c=1\r\nCookies: c=1\r\n", "A: c=1\r\nCookies: c=1\r\n"],
    ["Cookie: c=1; a=0\r\nB: 1\r\ncookie: b=2; c=3\r\n", "Cookie: a=0\r\nB: 1\r\ncookie: b=2\r\n"],
    ["", ""],
  ])("%j becomes %j", (lines, rest) => {
    expect(withoutCookie(lines, "c")).toBe(rest);
  });

  test("a request goes on with its other cookies", () => {
    const head = readRequest(get("A: b", "Cookie: a=0; c=1; b=2"));

    const text = serialiseRequest(head, { ...FORWARDING, hiddenCookie: "c" });

    expect(text).toContain("\r\nA: b\r\nCookie: a=0; b=2\r\n");
  });
});
