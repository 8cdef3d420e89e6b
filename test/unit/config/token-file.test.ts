import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "../../../src/config/read-config.ts";
import { hashOfToken } from "../../../src/config/token-file.ts";

const folder = mkdtempSync(join(tmpdir(), "token-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const TOKEN = "0123456789abcdef";
const GUARDED = "address: 0.0.0.0:9900, token_file: token";

/** What becomes of `admin` with a file `token` beside the configuration. */
function read(admin: string, token = `${TOKEN}\n`, mode = 0o600) {
  const file = join(folder, "understudy.yaml");
  const groups = "groups: { app: { pools: { blue: http://127.0.0.1:1 } } }";
  writeFileSync(file, `listen: 127.0.0.1:0\nadmin: { ${admin} }\n${groups}\n`);
  writeFileSync(join(folder, "token"), token);
  chmodSync(join(folder, "token"), mode);
  return readConfig(file, {});
}

function problemsOf(...args: Parameters<typeof read>): readonly string[] {
  const result = read(...args);
  const problems = result.ok ? result.warnings : result.problems;
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("the token", () => {
  test("is known by its hash alone, without the space around it", () => {
    const result = read(GUARDED, `  ${TOKEN} \n`);

    expect(result).toMatchObject({
      ok: true,
      config: { admin: { tokenHash: hashOfToken(TOKEN) } },
    });
    expect(JSON.stringify(result.ok && result.config)).not.toContain(TOKEN);
  });

  test("that changes makes another configuration of the same text", () => {
    const [one, two] = [read(GUARDED), read(GUARDED, `${TOKEN}x`)];

    expect(one.ok && two.ok && one.hash !== two.hash).toBe(true);
  });

  test.each([
    ["short", /^admin\.token_file: holds 5 characters, a token has at least 16: openssl rand/],
    ["", /holds 0 characters/],
    ["two words are no token", /holds more than one word of ASCII/],
    [`${TOKEN}\n${TOKEN}\n`, /holds more than one word of ASCII/],
    ["ä".repeat(20), /holds more than one word of ASCII/],
  ])("%j is refused", (token, message) => {
    expect(problemsOf(GUARDED, token)).toEqual([expect.stringMatching(message)]);
  });

  test("in a file that cannot be read is refused", () => {
    expect(problemsOf("address: 127.0.0.1:9900, token_file: gone")).toEqual([
      expect.stringMatching(/^admin\.token_file: cannot be read: ENOENT/),
    ]);
  });

  test("that everybody may read is taken with a warning", () => {
    expect(problemsOf(GUARDED, TOKEN, 0o644)).toEqual([
      "admin.token_file: everybody on this machine may read it: chmod 600 token",
    ]);
    expect(problemsOf(GUARDED, TOKEN, 0o640)).toEqual([]);
  });
});

describe("an address that other machines reach", () => {
  const OPEN =
    /^admin\.address: is open to other machines, and no token is needed: give it a `token_file`/;

  test.each(["0.0.0.0:9900", '"[::]:9900"', "192.168.1.10:9900", "gateway:9900"])(
    "%s needs a token",
    (address) => {
      expect(problemsOf(`address: ${address}`)).toEqual([expect.stringMatching(OPEN)]);
      expect(problemsOf(`address: ${address}, insecure: false`)).toEqual([
        expect.stringMatching(OPEN),
      ]);
      expect(problemsOf(`address: ${address}, token_file: token`)).toEqual([]);
      expect(problemsOf(`address: ${address}, insecure: true`)).toEqual([]);
    },
  );

  test.each(["127.0.0.1:9900", "127.1.2.3:9900", '"[::1]:9900"', "localhost:9900", "unix:/run/a"])(
    "%s is none",
    (address) => {
      expect(problemsOf(`address: ${address}`)).toEqual([]);
    },
  );
});
