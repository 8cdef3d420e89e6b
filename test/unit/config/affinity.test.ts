import { expect, test } from "vitest";
import type { AffinityConfig } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";

function affinityOf(written: string): AffinityConfig | undefined {
  const text = `listen: 127.0.0.1:1\ngroups:\n  shop:\n    pools: { blue: http://a }\n    affinity: ${written}`;
  const env = { SECRET: "0123456789abcdef" };
  const parsed = parseConfig(text, { file: "test.yaml", env, readText: () => "" });
  return parsed.ok ? parsed.config.groups[0]?.affinity : undefined;
}

test.each<[string, AffinityConfig]>([
  ["", { kind: "none" }],
  ["none", { kind: "none" }],
  ["ip", { kind: "ip" }],
  ["socketio", { kind: "socketio" }],
  ["header X-User", { kind: "header", name: "x-user" }],
  ["cookie", { kind: "cookie", name: "understudy_shop", secret: undefined }],
  ["{ kind: cookie }", { kind: "cookie", name: "understudy_shop", secret: undefined }],
  [
    '{ kind: cookie, name: stage, secret: "${SECRET}" }',
    { kind: "cookie", name: "stage", secret: "0123456789abcdef" },
  ],
])("affinity: %s", (written, affinity) => {
  expect(affinityOf(written)).toEqual(affinity);
});
