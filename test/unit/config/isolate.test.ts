import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig, type ParseResult } from "../../../src/config/parse-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";

const TOP = "listen: 127.0.0.1:0\nisolate: true\n";

function parse(text: string, previous?: Config): ParseResult {
  const readText = (path: string): string => {
    if (path === "gone.txt") throw new Error("gone");
    return path;
  };
  return parseConfig(text, { file: "u.yaml", env: {}, readText, previous });
}

/** Groups in one line each, by name. */
function groups(written: Readonly<Record<string, string>>, top = TOP): string {
  const lines = Object.entries(written).map(([name, group]) => `  ${name}: ${group}\n`);
  return `${top}groups:\n${lines.join("")}`;
}

const A = "{ routes: [{ path: /a }], pools: { blue: http://a:1 } }";
const B = "{ routes: [{ path: /b }], pools: { blue: http://b:1 } }";
const C = "{ routes: [{ path: /c }], pools: { blue: http://c:1 } }";
/** As `A` and `B`, elsewhere. */
const NEW_A = A.replace("a:1", "a:2");
const WRONG_B = B.replace("pools", "primary: green, pools");

const previous = configOf(parse(groups({ a: A, b: B })));

function configOf(result: ParseResult): Config {
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.config;
}

/** `name url`: every group with its first server. */
function served(result: ParseResult): readonly string[] {
  return configOf(result).groups.map(
    ({ name, spec }) => `${name} ${spec.pools[0]?.servers[0]?.url}`,
  );
}

/** `group line:column message`: groups that stay as they were, and why. */
function kept(result: ParseResult): readonly string[] {
  return (result.ok ? result.kept : []).flatMap(({ group, problems }) =>
    problems.map(({ line, column, message }) => `${group} ${line}:${column} ${message}`),
  );
}

/** `line:column path: message` of every problem. */
function problemsOf(result: ParseResult): readonly string[] {
  const problems = result.ok ? [] : result.problems;
  return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe("with isolate a group that is wrong stays as it was", () => {
  test("while all others are taken, in the order of the text", () => {
    const result = parse(groups({ c: C, b: WRONG_B, a: NEW_A }), previous);

    expect(served(result)).toEqual(["c http://c:1", "b http://b:1", "a http://a:2"]);
    expect(configOf(result).groups[1]).toBe(previous.groups[1]);
    expect(kept(result)).toEqual(['b 5:41 no pool is named "green": there is blue']);
  });

  test("whatever is wrong with it", () => {
    const wrongs = {
      "a value": "{ routes: [{ path: b }] }",
      "a key": "{ rutes: [] }",
      "a variable that is not set": "{ pools: { blue: 'http://${HOST}:1' } }",
      "an alias to nothing": "{ pools: { blue: *b } }",
      "a page that is gone": "{ routes: [{ path: /b }], error_pages: { 502: gone.txt } }",
      "a primary that is no pool": "{ routes: [{ path: /b }], primary: red }",
      "a route of another group": "{ routes: [{ path: /a }] }",
      "no map at all": "yes",
    };
    for (const [name, wrong] of Object.entries(wrongs)) {
      const result = parse(groups({ a: NEW_A, b: wrong }), previous);

      expect(served(result), name).toEqual(["a http://a:2", "b http://b:1"]);
      expect(kept(result), name).toHaveLength(1);
    }
  });

  test("even where it is the only one", () => {
    const only = configOf(parse(groups({ b: B })));

    expect(configOf(parse(groups({ b: WRONG_B }), only)).groups).toEqual(only.groups);
  });

  test("and the rest of the file counts as it is now", () => {
    const result = parse(groups({ b: WRONG_B }, `${TOP}served_by: true\n`), previous);

    expect(configOf(result).servedBy).toBe(true);
    expect(served(result)).toEqual(["b http://b:1"]);
  });

  test("and nothing is kept where nothing is wrong", () => {
    const result = parse(groups({ a: NEW_A }), previous);

    expect(served(result)).toEqual(["a http://a:2"]);
    expect(result.ok && result.kept).toEqual([]);
  });
});

describe("nothing of a text is taken", () => {
  test.each([
    ["at the first reading", groups({ a: A, b: WRONG_B }), undefined],
    ["without isolate", groups({ a: A, b: WRONG_B }, "listen: 127.0.0.1:0\n"), previous],
    ["when something else is wrong", groups({ a: A, b: WRONG_B }, `${TOP}x: 1\n`), previous],
    ["when isolate itself is wrong", groups({ b: WRONG_B }, `${TOP}isolate: true\n`), previous],
    ["when a new group is wrong", groups({ a: A, c: WRONG_B }), previous],
    ["when it is no YAML", `${groups({ a: A })}  b: {`, previous],
    ["when there is no group", `${TOP}groups: {}`, previous],
  ])("%s", (_, text, before) => {
    expect(parse(text, before).ok).toBe(false);
  });

  test("when it wants a route of the group that stays as it was", () => {
    const result = parse(groups({ c: C.replace("/c", "/b"), b: "{ rutes: [] }" }), previous);

    expect(problemsOf(result)).toEqual([
      '4:17 groups.c.routes.0: this route belongs to group "b", which is wrong here and stays as it was',
      '5:8 groups.b.rutes: unknown key, did you mean "routes"?',
    ]);
  });

  test("when what is wrong is below an anchor, as other groups may use it", () => {
    const text = groups({
      a: "{ routes: [{ path: /a }], pools: &pools { blue: { url: http://a:1, release: '${R}' } } }",
      b: "{ routes: [{ path: /b }], pools: *pools }",
    });

    expect(problemsOf(parse(text, previous))).toEqual([
      "4:82 groups.a.pools.blue.release: ${R} is not set: set it, or write ${R:-default}",
    ]);
  });
});
