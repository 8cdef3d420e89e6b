import { expect, test } from "vitest";
import { isHost } from "../../../src/http1/host.ts";

const VALID = [
  ..."a a.example A-1.example:8080 a. a: a:0 a:65535 my_app 192.0.2.7:80 %C3%A4.example".split(" "),
  ..."!$&'()*+,;=~ [::] [::1]:80 [2001:db8::1] [1:2:3:4:5:6:7:8] [1::8] [::ffff:192.0.2.7]".split(
    " ",
  ),
  ..."[1:2:3:4:5:6:192.0.2.7] [1:2:3:4:5:6:7::]".split(" "),
];

const INVALID = [
  ..."a:b a:123456 a:65536 a:1:2 a@b a/b a?b a#b a\\b a%4 a%zz ::1 [::1 ::1] [] [:] [:::]".split(
    " ",
  ),
  ..."[1::2::3] [1:2:3:4:5:6:7] [1:2:3:4:5:6:7:8:9] [1:2:3:4:5:6:7:8::] [12345::] [g::]".split(" "),
  ..."[::1.2.3] [::1.2.3.256] [::01.2.3.4] [1.2.3.4] [::1.2.3.4:1] [fe80::1%25eth0] [v1.a]".split(
    " ",
  ),
  ..."[::1]a [::1]:x [::1]:65536".split(" "),
  "",
  " a",
  "a b",
  "a,\tb",
  '"a"',
  "\u00e4",
];

test.each(VALID)("%j is a host", (text) => {
  expect(isHost(text)).toBe(true);
});

test.each(INVALID)("%j is no host", (text) => {
  expect(isHost(text)).toBe(false);
});

test("a host is still one when it is asked again", () => {
  expect([isHost("a"), isHost("a"), isHost(""), isHost("b c"), isHost("a")]).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
});
