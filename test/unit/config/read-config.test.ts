import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
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
