import { describe, expect, test } from "vitest";
import { MAY_IMPORT } from "./support/import-table.ts";
import { countImportWords, filesIn, importsOf, readProjectFile } from "./support/source-files.ts";

/** One import, both ends as paths within src (or a package's name). */
interface Edge {
  readonly file: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

type Sources = Readonly<Record<string, string>>;

const sources: Sources = Object.fromEntries(
  filesIn("src")
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [file, readProjectFile(`src/${file}`)]),
);

describe("the sources", () => {
  test("are all read, with all their imports", () => {
    const missed = Object.entries(sources).filter(
      ([, text]) => importsOf(text).length !== countImportWords(text),
    );

    expect(missed.map(([file]) => file)).toEqual([]);
    expect(Object.keys(sources).length).toBeGreaterThan(80);
    expect(edgesOf(sources).length).toBeGreaterThan(200);
  });

  test("import nothing but what the table allows their part", () => {
    expect(edgesOf(sources).filter(isForbidden).map(inWords)).toEqual([]);
  });

  test("make use of every line of the table", () => {
    const edges = edgesOf(sources);
    const unused = Object.entries(MAY_IMPORT).flatMap(([part, allowed]) =>
      allowed
        .filter((rule) => !edges.some((edge) => partOf(edge.file) === part && obeys(edge, rule)))
        .map((rule) => `${part} -> ${rule}`),
    );

    expect(unused).toEqual([]);
    expect(Object.keys(MAY_IMPORT).toSorted()).toEqual(
      Array.from(new Set(Object.keys(sources).map(partOf))).toSorted(),
    );
  });

  test("do not load one another in a circle", () => {
    expect(circlesIn(edgesOf(sources))).toEqual([]);
  });

  test("have no index.ts, no barrel, no default export, no name that says nothing", () => {
    expect(Object.entries(sources).flatMap(([file, text]) => offences(file, text))).toEqual([]);
  });

  test("read the environment in main.ts alone, the time in clock.ts alone", () => {
    const readers = (words: RegExp): string[] =>
      Object.keys(sources).filter((file) => words.test(withoutComments(sources[file] ?? "")));

    expect(readers(/process\.env\b/)).toEqual(["main.ts"]);
    expect(readers(/Date\.now\(|performance\.now\(|\bset(Timeout|Interval|Immediate)\(/)).toEqual([
      "clock.ts",
    ]);
  });
});

describe("the rules of this test", () => {
  const house: Sources = {
    "http1/a.ts": 'import { b } from "./b.ts";\nexport { b };\n',
    "http1/b.ts": 'import {\n  a,\n} from "./a.ts";\nimport type { G } from "../gateway.ts";\n',
    "failover/a.ts":
      'import { ERRORS } from "../events.ts";\nimport type { E } from "../events.ts";\n',
    "routing/a.ts": 'import "node:fs";\nconst x = await import("zod");\n',
    "proxy/a.ts": 'export * from "../observe/a.ts";\nexport type { T } from "../http1/b.ts";\n',
    "main.ts": 'const { run } = await import("./cli/run.ts");\nimport x from "../test/x.ts";\n',
  };

  test("see every import that is not allowed, in whatever form", () => {
    expect(edgesOf(house).filter(isForbidden).map(inWords)).toEqual([
      "http1/b.ts imports the types of gateway.ts",
      "failover/a.ts imports events.ts",
      "routing/a.ts imports node:fs",
      "routing/a.ts imports zod",
      "proxy/a.ts imports observe/a.ts",
      "main.ts imports ../test/x.ts",
    ]);
  });

  test("see a circle once, and none where only types go round", () => {
    expect(circlesIn(edgesOf(house))).toEqual(["http1/a.ts -> http1/b.ts -> http1/a.ts"]);
  });

  test("see what STYLE forbids a file", () => {
    const barrel = 'export * from "./a.ts";\n';
    expect(offences("http1/index.ts", barrel)).toEqual([
      "http1/index.ts: a name that says nothing",
      "http1/index.ts: a barrel",
    ]);
    expect(offences("proxy/listenerSocket.ts", "export default 1;\n")).toEqual([
      "proxy/listenerSocket.ts: not in kebab-case",
      "proxy/listenerSocket.ts: a default export",
    ]);
  });
});

function edgesOf(files: Sources): readonly Edge[] {
  return Object.entries(files).flatMap(([file, text]) =>
    importsOf(text).map(({ from, typeOnly }) => ({ file, to: targetOf(file, from), typeOnly })),
  );
}

/** `../clock.ts` in `proxy/a.ts` is `clock.ts`; what leaves src keeps its dots. */
function targetOf(file: string, from: string): string {
  if (!from.startsWith(".")) return from;
  const steps = file.split("/").slice(0, -1);
  for (const step of from.split("/")) {
    if (step === "..") {
      if (steps.length === 0) return from;
      steps.pop();
    } else if (step !== ".") steps.push(step);
  }
  return steps.join("/");
}

function isForbidden(edge: Edge): boolean {
  const part = partOf(edge.file);
  if (partOf(edge.to) === part && part.endsWith("/")) return false;
  return !(MAY_IMPORT[part] ?? []).some((rule) => obeys(edge, rule));
}

function obeys(edge: Edge, rule: string): boolean {
  const [target = "", isTypeRule] = rule.startsWith("type ") ? [rule.slice(5), true] : [rule];
  if (isTypeRule === true && !edge.typeOnly) return false;
  return /[/:]$/.test(target) ? edge.to.startsWith(target) : edge.to === target;
}

/** A folder as `proxy/`, or a file at the top. */
function partOf(path: string): string {
  const slash = path.indexOf("/");
  return slash === -1 ? path : path.slice(0, slash + 1);
}

function inWords({ file, to, typeOnly }: Edge): string {
  return `${file} imports ${typeOnly ? "the types of " : ""}${to}`;
}

/** Every circle of files that load each other, each told once. */
function circlesIn(edges: readonly Edge[]): readonly string[] {
  const loads = Map.groupBy(
    edges.filter((edge) => !edge.typeOnly),
    (edge) => edge.file,
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) circles.push([...path.slice(start), file].join(" -> "));
    if (start !== -1 || done.has(file)) return;
    for (const { to } of loads.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of loads.keys()) visit(file, []);
  return circles;
}

const SAYS_NOTHING = /(^|\/)(index|utils?|helpers?|types|common|misc|manager)\.ts$/;

function offences(file: string, text: string): readonly string[] {
  const found = [
    SAYS_NOTHING.test(file) && "a name that says nothing",
    !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(file) && "not in kebab-case",
    /^export\s+(type\s+)?(\*|\{[^}]*\}\s+from)/m.test(text) && "a barrel",
    /^export\s+default\b|\bas\s+default\b/m.test(text) && "a default export",
  ];
  return found.filter((offence) => offence !== false).map((offence) => `${file}: ${offence}`);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "");
}
