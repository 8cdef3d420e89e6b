import { describe, expect, test } from "vitest";
import { formatProblem, type Problem } from "../../../src/config/problem.ts";

const problem: Problem = {
  file: "u.yaml",
  line: 8,
  column: 5,
  path: "groups.app",
  message: "unknown key",
  source: "    helth: x",
};

describe("a problem is printed", () => {
  test("with its place, its line and a caret", () => {
    expect(formatProblem(problem)).toBe(
      "u.yaml:8:5  groups.app: unknown key\n        helth: x\n        ^",
    );
  });

  test("without a place where the file itself is the problem", () => {
    const text = formatProblem({ ...problem, line: 0, path: "", message: "cannot be read: gone" });

    expect(text).toBe("u.yaml: cannot be read: gone");
  });

  test("with only the part around the caret of a long line", () => {
    const source = `${"a".repeat(500)}X${"b".repeat(500)}`;

    const [, line = "", caret = ""] = formatProblem({ ...problem, column: 501, source }).split(
      "\n",
    );

    expect([line.length, line[caret.indexOf("^")]]).toEqual([104, "X"]);
  });

  test("without anything that would move the cursor", () => {
    const text = formatProblem({ ...problem, column: 2, source: "\t\u001B[2Jx", message: "a\rb" });

    expect(text).toBe("u.yaml:8:2  groups.app: a b\n      [2Jx\n     ^");
  });
});
