import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readAdminPlace } from "../../../src/config/admin-place.ts";

const folder = mkdtempSync(join(tmpdir(), "admin-place-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ADDRESS = { kind: "tcp", host: "127.0.0.1", port: 9900 };
const DOOR = { ok: true, value: { address: ADDRESS, tokenFile: undefined } };

function read(text: string) {
  const file = join(folder, "understudy.yaml");
  writeFileSync(file, text);
  return readAdminPlace(file, { PORT: "9900" });
}

test.each([
  "admin: { address: 127.0.0.1:9900 }",
  'admin: { address: "127.0.0.1:${PORT}" }',
  "admin:\n  address: 127.0.0.1:${NONE:-9900}\n",
  "x-door: &door { address: 127.0.0.1:9900 }\nadmin: *door\n",
  "listen: nowhere\nlisten: twice\nadmin: { address: 127.0.0.1:9900 }\ngroups: 7\n",
  "admin:\n  address: 127.0.0.1:9900\ngroups:\n  app: { pools: [ }\n",
  '{"admin": {"address": "127.0.0.1:9900"}}',
])("%j has it, whatever else is wrong", (text) => {
  expect(read(text)).toEqual(DOOR);
});

test("the token's file is beside it", () => {
  const found = read("admin: { address: 127.0.0.1:9900, token_file: secrets/token }");

  expect(found).toEqual({
    ok: true,
    value: { address: ADDRESS, tokenFile: join(folder, "secrets/token") },
  });
});

test.each([
  ["", "has no `admin:"],
  ["listen: 127.0.0.1:80", "has no `admin:"],
  ["admin: 9900", "has no `admin:"],
  ["admin: { address: [1] }", "has no `admin:"],
  ["admin: { address: 127.0.0.1 }", 'admin.address: "127.0.0.1" has no port'],
  ['admin: { address: "${NONE}:1" }', "admin.address: ${NONE} is not set"],
  ["a: &a [*a, *a]\nadmin: *a", ""],
])("%j says why it has none", (text, why) => {
  expect(read(text)).toEqual({ ok: false, message: expect.stringContaining(why) });
});
