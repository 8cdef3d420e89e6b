import { describe, expect, test } from "vitest";
import { parseAddress } from "../../../src/config/address.ts";
import { parseDuration } from "../../../src/config/duration.ts";
import { parseServerUrl } from "../../../src/config/server-url.ts";
import { parseSize } from "../../../src/config/size.ts";
import { parseProtocol } from "../../../src/config/protocol.ts";
import type { Parsed } from "../../../src/config/parsed.ts";

/** The value, or the message. */
function told<T>(parsed: Parsed<T>): T | string {
  return parsed.ok ? parsed.value : parsed.message;
}

describe("a duration", () => {
  test.each([
    ["250ms", 250],
    ["3s", 3_000],
    ["1m", 60_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["1m30s", 90_000],
    ["1d2h3m4s5ms", 93_784_005],
    [0, 0],
    ["0", 0],
    ["0s", 0],
    ["24d", 2_073_600_000],
    ["25d", '"25d" is too long: at most 24d'],
    ["99999999999999999999s", '"99999999999999999999s" is too long: at most 24d'],
    [3, "a duration needs a unit: write 3s or 3ms"],
    ["30", "a duration needs a unit: write 30s or 30ms"],
    [1.5, "a duration needs a unit: write 1.5s or 1.5ms"],
    ["1.5s", '"1.5s" is no duration: write 250ms, 3s, 1m30s or 1h'],
    ["-3s", '"-3s" is no duration: write 250ms, 3s, 1m30s or 1h'],
    ["30s1m", '"30s1m" is no duration: write 250ms, 3s, 1m30s or 1h'],
    ["3 s", '"3 s" is no duration: write 250ms, 3s, 1m30s or 1h'],
    ["3S", '"3S" is no duration: write 250ms, 3s, 1m30s or 1h'],
    ["", '"" is no duration: write 250ms, 3s, 1m30s or 1h'],
    [true, "true is no duration: write 250ms, 3s, 1m30s or 1h"],
    [["3s"], "a list is no duration: write 250ms, 3s, 1m30s or 1h"],
  ])("%j -> %j", (input, expected) => {
    expect(told(parseDuration(input))).toBe(expected);
  });
});

describe("a protocol to upgrade to", () => {
  test.each([
    ["websocket", "websocket"],
    ["WebSocket", "websocket"],
    ["IRC/6.9", "irc/6.9"],
    ["TLS/1.2", "TLS/1.2 is never passed on: it would carry requests unchecked"],
    ["http/2.0", "http/2.0 is never passed on: it would carry requests unchecked"],
    ["H2C", "H2C is never passed on: it would carry requests unchecked"],
    ["a b", '"a b" is no protocol: write websocket'],
    ["a/b/c", '"a/b/c" is no protocol: write websocket'],
    ["", '"" is no protocol: write websocket'],
    [7, "7 is no protocol: write websocket"],
  ])("%j -> %j", (input, expected) => {
    expect(told(parseProtocol(input))).toBe(expected);
  });
});

describe("a size", () => {
  test.each([
    ["64k", 65_536],
    ["1m", 1_048_576],
    ["1G", 1_073_741_824],
    ["512b", 512],
    ["512", 512],
    [512, 512],
    [0, 0],
    ["64kb", '"64kb" is no size: write 512, 64k, 1m or 1g'],
    ["1.5m", '"1.5m" is no size: write 512, 64k, 1m or 1g'],
    [1.5, "1.5 is no size: write 512, 64k, 1m or 1g"],
    [-1, "-1 is no size: write 512, 64k, 1m or 1g"],
    [false, "false is no size: write 512, 64k, 1m or 1g"],
    [{}, "a map is no size: write 512, 64k, 1m or 1g"],
    ["9999999999g", '"9999999999g" is too large'],
  ])("%j -> %j", (input, expected) => {
    expect(told(parseSize(input))).toBe(expected);
  });
});

describe("an address to listen on", () => {
  test.each([
    ["0.0.0.0:8080", { kind: "tcp", host: "0.0.0.0", port: 8080 }],
    ["localhost:0", { kind: "tcp", host: "localhost", port: 0 }],
    ["[::1]:8080", { kind: "tcp", host: "::1", port: 8080 }],
    ["unix:/run/u.sock", { kind: "unix", path: "/run/u.sock" }],
    ["unix:u.sock", '"unix:u.sock" has no absolute path: write unix:/run/app.sock'],
    [
      `unix:/${"x".repeat(107)}`,
      `the path of "unix:/${"x".repeat(50)}... is longer than 107 bytes`,
    ],
    [8080, "which address? write 127.0.0.1:8080 (this host only) or 0.0.0.0:8080"],
    ["127.0.0.1", '"127.0.0.1" has no port'],
    [":8080", '":8080": the host is missing'],
    ["*:8080", '"*:8080": "*" is no host name or IP address'],
    ["300.0.0.1:80", '"300.0.0.1:80": "300.0.0.1" is no host name or IP address'],
    ["[::g]:80", '"[::g]:80": "[::g]" is no IPv6 address'],
    ["::1:80", '"::1:80": the host is missing'],
    ["a:65536", '"65536" is no port: 0 to 65535'],
    ["a:x", '"x" is no port: 0 to 65535'],
    [true, "true is no address: write 127.0.0.1:8080"],
  ])("%j -> %j", (input, expected) => {
    expect(told(parseAddress(input))).toEqual(expected);
  });
});

describe("the url of a server", () => {
  test.each([
    ["http://app_blue:3000", "app_blue:3000"],
    ["http://app", "app:80"],
    ["http://App.Example.com/", "app.example.com:80"],
    ["HTTP://app:1", "app:1"],
    ["http://10.0.0.1:3000", "10.0.0.1:3000"],
    ["http://[::1]:3000", "[::1]:3000"],
    ["http://[FE80::1]", "[fe80::1]:80"],
    ["http://unix:/run/a.sock", "unix:/run/a.sock"],
  ])("%s -> %s", (url, address) => {
    expect(told(parseServerUrl(url))).toEqual({ url, address });
  });

  test.each([
    ["app:3000", '"app:3000" has no scheme: write http://app:3000'],
    ["https://a:1", 'https servers are not supported yet: write "http://a:1"'],
    ["ftp://a", '"ftp://" is not known: write http://'],
    [
      "http://a/api",
      '"http://a/api" has a path: paths belong to `routes`, a server is http://host:port',
    ],
    [
      "http://a?x",
      '"http://a?x" has a path: paths belong to `routes`, a server is http://host:port',
    ],
    [
      "http://a#x",
      '"http://a#x" has a path: paths belong to `routes`, a server is http://host:port',
    ],
    ["http://u:p@a", '"http://u:p@a" has a user name: a server has none'],
    ["http://a:0", '"http://a:0": port 0 cannot be connected to'],
    ["http://a:", '"" is no port: 0 to 65535'],
    ["http://", '"": the host is missing'],
    ["http://a b", '"a b": "a b" is no host name or IP address'],
    ["http://unix:a.sock", '"unix:a.sock" has no absolute path: write unix:/run/app.sock'],
    [3000, "3000 is no url: write http://127.0.0.1:3000"],
  ])("%s is refused", (url, message) => {
    expect(told(parseServerUrl(url))).toBe(message);
  });
});
