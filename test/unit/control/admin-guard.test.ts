import { expect, test } from "vitest";
import { refusalOf } from "../../../src/control/admin-guard.ts";

const NAMED = { kind: "tcp", host: "gateway.example.com", port: 9900 } as const;
const UNIX = { kind: "unix", path: "/run/admin.sock" } as const;

function isTaken(sender: { method?: string; host?: string | undefined; origin?: string }): boolean {
  const { method = "GET", host = "localhost", origin } = sender;
  return refusalOf({ method, host, origin }, NAMED) === undefined;
}

test.each([
  "localhost",
  "localhost:9900",
  "LOCALHOST:9900",
  "127.0.0.1",
  "10.1.2.3:9900",
  "[::1]:9900",
  "[fe80::1]",
  "gateway.example.com:9900",
  "understudy:9900",
  "app_gateway",
])("Host %s is taken", (host) => {
  expect(isTaken({ host })).toBe(true);
});

test.each([
  "evil.test",
  "evil.test:9900",
  "127.0.0.1.evil.test",
  "localhost.evil.test",
  "localhost.",
  "gateway.example.com.evil.test",
  "user@localhost",
  "local host",
  "::1",
  "[::1",
  "[evil.test]",
  "",
])("Host %j is refused", (host) => {
  expect(isTaken({ host })).toBe(false);
});

test("a request without Host is refused, but on a unix socket, which no page reaches", () => {
  const sender = { method: "POST", host: undefined, origin: undefined };

  expect(refusalOf(sender, NAMED)).toMatch(/^the Host "" is none of this API/);
  expect(refusalOf(sender, UNIX)).toBeUndefined();
  expect(refusalOf({ ...sender, host: "any.test" }, UNIX)).toBeUndefined();
});

test.each([
  ["POST", undefined, true],
  ["POST", "http://localhost:9900", true],
  ["POST", "https://localhost:9900", true],
  ["POST", "HTTP://LOCALHOST:9900", true],
  ["POST", "http://localhost", false],
  ["POST", "http://localhost:9901", false],
  ["POST", "http://evil.test", false],
  ["POST", "http://localhost:9900.evil.test", false],
  ["POST", "http://localhost:9900/", false],
  ["POST", "null", false],
  ["POST", "", false],
  ["PUT", "http://evil.test", false],
  ["GET", "http://evil.test", true],
  ["HEAD", "null", true],
])("%s from origin %j: taken %j", (method, origin, taken) => {
  const sender = { method, host: "localhost:9900", ...(origin !== undefined && { origin }) };
  expect(isTaken(sender)).toBe(taken);
});
