import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { parseConfig } from "../../../src/config/parse-config.ts";

const root = new URL("../../../", import.meta.url);
const example = readFileSync(new URL("config/understudy.yaml", root), "utf8");
const schemaText = readFileSync(new URL("config/understudy.schema.json", root), "utf8");
const schema = z.fromJSONSchema(JSON.parse(schemaText));

function parse(text: string) {
  return parseConfig(text, { file: "u.yaml", env: {}, readText: (path) => path });
}

test("the example is a configuration without warnings", () => {
  const result = parse(example);

  expect(result.ok && result.warnings).toEqual([]);
});

test("whatever is done to the example, an answer comes and every problem has a place", () => {
  const cut = fc.record({
    at: fc.nat(example.length),
    length: fc.nat(12),
    put: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom("{", "[", "]", "}", ": ", "- ", "\n", "\t", "&a ", "*a", "<<: *a", "${", "}"),
      fc.constantFrom(
        "null",
        "!!binary x",
        "!t",
        "? ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "`",
        "---",
      ),
    ),
  });
  const lines = example.split("\n").length;

  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
      let text = example;
      for (const { at, length, put } of cuts) {
        text = text.slice(0, at) + put + text.slice(at + length);
      }

      const result = parse(text);

      const places = result.ok ? [] : result.problems.map(({ line }) => line);
      expect(places.every((line) => line >= 0 && line <= lines + text.length)).toBe(true);
      expect(result.ok || result.problems.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe("the schema for editors", () => {
  test("accepts the example", () => {
    expect(schema.safeParse(parseYaml(example)).error).toBeUndefined();
  });

  const valid = { listen: "127.0.0.1:80", groups: { app: { pools: { blue: "http://a" } } } };

  test.each([
    [{}],
    [{ "x-free": [1] }],
    [{ shutdown_timeout: "1m30s" }],
    [{ shutdown_timeout: "${T:-3s}" }],
    [{ limits: { headers: "${N}", head: 512 } }],
    [{ served_by: "${BY}" }],
    [{ access_log: "off" }],
    [{ groups: { app: { next_upstream: ["error", "${MORE}"], pools: { a: ["http://a"] } } } }],
  ])("accepts %j", (more) => {
    expect(schema.safeParse({ ...valid, ...more }).error).toBeUndefined();
  });

  test.each([
    [{ listen: undefined }],
    [{ unknown: 1 }],
    [{ shutdown_timeout: "3 seconds" }],
    [{ limits: { headers: "many" } }],
    [{ served_by: "yes" }],
    [{ groups: { "1": {} } }],
    [{ groups: { app: { next_upstream: ["eror"] } } }],
    [{ groups: { app: { pools: { blue: { servers: [{ url: "http://a", weigth: 1 }] } } } } }],
  ])("refuses %j", (more) => {
    expect(schema.safeParse({ ...valid, ...more }).success).toBe(false);
  });
});
