import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readAdminAddress } from "../../../src/config/admin-address.ts";

const folder = mkdtempSync(join(tmpdir(), "admin-address-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DOOR = { ok: true, value: { kind: "tcp", host: "127.0.0.1", port: 9900 } };

function read(text: string) {
  const file = join(folder, "understudy.yaml");
  writeFileSync(file, text);
  return readAdminAddress(file, { PORT: "9900" });
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
