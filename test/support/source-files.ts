import { readdirSync, readFileSync } from "node:fs";

/** One `import` or `export ... from` of a file, as it is written. */
export interface ImportLine {
  readonly from: string;
  /** Erased by the compiler: it binds a type, loads nothing. */
  readonly typeOnly: boolean;
}

const STATEMENTS = [
  /^import\s+(type\s)?(?:[\w$*{},\s]+?\sfrom\s+)?"([^"]+)"/gm,
  /^export\s+(type\s)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+"([^"]+)"/gm,
  /\bimport\((type\s)?\s*"([^"]+)"\s*\)/g,
];

/** Every import of a TypeScript source, in no certain order; all source here is formatted by one tool. */
export function importsOf(source: string): readonly ImportLine[] {
  return STATEMENTS.flatMap((statement) =>
    Array.from(source.matchAll(statement), ([, type, from = ""]) => ({
      from,
      typeOnly: type !== undefined,
    })),
  );
}

/** How often a source seems to import, by a count so crude that it misses nothing. */
export function countImportWords(source: string): number {
  return (source.match(CRUDE) ?? []).length;
}

const CRUDE = /\bfrom\s*(["'`]).*\1;?$|^\s*import\s*["'`]|\bimport\(|\brequire\(/gm;

/** The files below `folder` of this project, as paths within it. */
export function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(projectUrl(folder), { withFileTypes: true, recursive: true });
  const root = projectUrl(folder).pathname.replace(/\/$/, "");
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath.replace(/\/$/, "")}/${entry.name}`.slice(root.length + 1))
    .toSorted();
}

/** A text file by its path within this project. */
export function readProjectFile(path: string): string {
  return readFileSync(projectUrl(path), "utf8");
}

function projectUrl(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
