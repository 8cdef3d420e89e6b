import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Env } from "../../../src/config/interpolate.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { readConfig } from "../../../src/config/read-config.ts";

const folder = mkdtempSync(join(tmpdir(), "understudy-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test("a file that cannot be read is one problem without a place", () => {
  const file = join(folder, "none.yaml");

  expect(readConfig(file, {})).toEqual({
    ok: false,
    problems: [
      {
        file,
        line: 0,
        column: 0,
        path: "",
        message: `cannot be read: ENOENT: no such file or directory, open '${file}'`,
        source: "",
      },
    ],
    files: [{ path: file, text: undefined }],
  });
});

test("what was read is told with its text, also where it is wrong", () => {
  write("here.txt", "back soon");
  const text =
    "listen: 127.0.0.1:0\ngroups: { app: { error_pages: { 502: here.txt, 504: gone.txt } } }";
  const file = write("files.yaml", text);

  expect(readConfig(file, {}).files).toEqual([
    { path: file, text },
    { path: join(folder, "here.txt"), text: "back soon" },
    { path: join(folder, "gone.txt"), text: undefined },
  ]);
});

describe("the hash", () => {
  const TEXT =
    "listen: 127.0.0.1:${PORT}\ngroups: { app: { error_pages: { 502: hash.txt }, failback: '${F-auto}' } }";

  const ENV: Env = { PORT: "80" };

  /** Of this text with this page beside it. */
  function hashOf({ text = TEXT, page = "back soon", env = ENV }): string {
    write("hash.txt", page);
    const result = readConfig(write("hash.yaml", text), env);
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
    return result.hash;
  }

  test("is the same for the same text, variables and pages", () => {
    expect(hashOf({})).toMatch(/^[0-9a-f]{12}$/);
    expect(hashOf({})).toBe(hashOf({}));
  });

  test.each([
    ["the text", { text: `${TEXT} # a comment` }],
    ["a page", { page: "back later" }],
    ["a variable that it names", { env: { PORT: "81" } }],
    ["a variable that had its default", { env: { ...ENV, F: "manual" } }],
  ])("is another with %s", (_, change) => {
    expect(hashOf(change)).not.toBe(hashOf({}));
  });

  test("does not care for any other variable", () => {
    expect(hashOf({ env: { ...ENV, HOME: "/" } })).toBe(hashOf({}));
  });
});

test("error pages are read from beside the file", () => {
  write("down.txt", "back soon");
  const file = write(
    "pages.yaml",
    "listen: 127.0.0.1:0\ngroups: { app: { error_pages: { 502: down.txt } } }",
  );

  const result = readConfig(file, {});

  expect(result.ok && result.config.groups[0]?.errorPages).toEqual(
    new Map([[502, { type: "text/plain; charset=utf-8", body: "back soon" }]]),
  );
});

test("an error page that is not there is a problem", () => {
  const file = write(
    "missing.yaml",
    "listen: 127.0.0.1:0\ngroups: { app: { error_pages: { 502: gone.txt } } }",
  );

  const result = readConfig(file, {});

  const messages = result.ok ? [] : result.problems.map((problem) => problem.message);
  expect(messages).toEqual([
    `cannot be read: ENOENT: no such file or directory, open '${join(folder, "gone.txt")}'`,
  ]);
});
