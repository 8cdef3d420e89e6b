import { describe, expect, test } from "vitest";
import { MAY_IMPORT } from "./support/import-table.ts";
import { filesIn, readProjectFile } from "./support/source-files.ts";

const page = readProjectFile("src/README.md");
const files = filesIn("src").filter((file) => file.endsWith(".ts"));

describe("the map in src/README.md", () => {
  test("has one line for each file, and none for a file that is gone", () => {
    const listed = filesInMap(page);

    expect(listed.map(({ path }) => path).toSorted()).toEqual(files);
    expect(listed.filter(({ words }) => words === "")).toEqual([]);
  });

  test("names only functions and classes that are there", () => {
    const code = files.map((file) => readProjectFile(`src/${file}`)).join("\n");
    const functions = Array.from(page.matchAll(/\b(?:\w+\.)?(\w+)\(\)/g), ([, name]) => name ?? "");
    const classes = Array.from(page.matchAll(/`([A-Z][a-z]\w+)`/g), ([, name]) => name ?? "");

    expect(functions.filter((name) => !new RegExp(`\\b${name}\\(`).test(code))).toEqual([]);
    expect(
      classes.filter((name) => !new RegExp(`(class|interface) ${name}\\b`).test(code)),
    ).toEqual([]);
    expect(functions.length).toBeGreaterThan(10);
  });

  test("names only paths that are there", () => {
    const paths = Array.from(page.matchAll(/`([\w./-]+\.(?:ts|md))`/g), ([, path]) => path ?? "");
    const known = (path: string): boolean =>
      files.some((file) => file === path || file.endsWith(`/${path}`)) ||
      filesIn("test").some((file) => `test/${file}` === path);

    expect(paths.filter((path) => !known(path))).toEqual([]);
    expect(paths.length).toBeGreaterThan(10);
  });

  test("tells the same import table as the test that holds it", () => {
    const rows = Array.from(page.matchAll(/^\| `([\w./]+)` \| (.*) \|$/gm), ([, part, rule]) => [
      part,
      rule === "nothing" ? [] : rule?.split(", ").map((word) => word.replaceAll("`", "")),
    ]);

    expect(Object.fromEntries(rows)).toEqual(MAY_IMPORT);
  });
});

/** The files of the listing: those of a folder stand indented below it. */
function filesInMap(text: string): readonly { readonly path: string; readonly words: string }[] {
  const listing = /^## Files\n+```\n([\s\S]*?)```/m.exec(text)?.[1] ?? "";
  let folder = "";
  return listing.split("\n").flatMap((line) => {
    const [, indent = "", name = "", words = ""] = /^( *)(\S+) *(.*)$/.exec(line) ?? [];
    if (indent === "") folder = name.endsWith("/") ? name : "";
    return name === "" || name.endsWith("/") ? [] : [{ path: folder + name, words }];
  });
}
