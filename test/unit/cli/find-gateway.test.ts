import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findGateway } from "../../../src/cli/find-gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "find-gateway-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const config = write("u.yaml", "admin: { address: 127.0.0.1:9900, token_file: token }");
write("token", "from-the-config\n");
const other = write("other", " from-another-file ");
const empty = write("empty", "\n");
const gone = join(folder, "gone");

test.each([
  [{ config }, {}, "from-the-config"],
  [{ config }, { UNDERSTUDY_TOKEN_FILE: other }, "from-another-file"],
  [{ config, tokenFile: other }, { UNDERSTUDY_TOKEN_FILE: gone }, "from-another-file"],
  [{ admin: "127.0.0.1:9900" }, {}, undefined],
  [{ admin: "127.0.0.1:9900", tokenFile: other }, {}, "from-another-file"],
])("%j with %j has the token %s", (place, env, token) => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 9900 };

  expect(findGateway(place, env)).toEqual({ ok: true, value: { address, token } });
});

test("a token that somebody named and that cannot be had is a mistake, the configuration's is not", () => {
  const lost = write("lost.yaml", "admin: { address: 127.0.0.1:9900, token_file: gone }");

  expect(findGateway({ config: lost }, {})).toMatchObject({
    ok: true,
    value: { token: undefined },
  });
  expect(findGateway({ config, tokenFile: gone }, {})).toEqual({
    ok: false,
    message: expect.stringMatching(/^--token-file: .*gone cannot be read: ENOENT/),
  });
  expect(findGateway({ config }, { UNDERSTUDY_TOKEN_FILE: empty })).toEqual({
    ok: false,
    message: `UNDERSTUDY_TOKEN_FILE: ${empty} holds no token`,
  });
});
