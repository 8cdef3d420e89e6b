import type { Config } from "./config.ts";
import { buildConfig } from "./build-config.ts";
import { contradictionsIn } from "./contradictions.ts";
import { readDocument, type PlacedFinding } from "./document.ts";
import { readErrorPages } from "./error-pages.ts";
import type { Env } from "./interpolate.ts";
import { findingsOf, type Finding } from "./issues.ts";
import type { Problem } from "./problem.ts";
import { entriesOf, isRecord } from "./raw.ts";
import { configSchema } from "./schema.ts";
import { warningsIn } from "./warnings.ts";

export type ParseResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ParseOptions {
  /** The name that problems carry. */
  readonly file: string;
  /** Where `${VAR}` is looked up. */
  readonly env: Env;
  /** Reads an error page; throws where it cannot. */
  readonly readText: (path: string) => string;
}

/** A whole configuration, or every problem in it, in the order of the text. Never throws. */
export function parseConfig(text: string, options: ParseOptions): ParseResult {
  try {
    return parse(text, options);
  } catch (error) {
    // The YAML library throws on alias bombs, and whatever is nested too deep exhausts the stack.
    const message = messageOf(error);
    const place = { line: 0, column: 0, path: "", source: "" };
    return {
      ok: false,
      problems: [{ ...place, file: options.file, message: `cannot be read: ${message}` }],
    };
  }
}

function parse(text: string, { file, env, readText }: ParseOptions): ParseResult {
  const document = readDocument(text, env);
  const problems = (findings: readonly PlacedFinding[]) => problemsOf(text, file, findings);
  const emptiness = emptyFinding(document.value);
  if (document.value === undefined && document.findings.length > 0) {
    return { ok: false, problems: problems(document.findings) };
  }
  if (emptiness !== undefined)
    return { ok: false, problems: problems([document.place(emptiness)]) };
  const raw = withoutExtensions(document.value);
  const parsed = configSchema.safeParse(raw, { reportInput: true });
  const { pages, findings: pageFindings } = readErrorPages(raw, readText);
  const findings = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => findingsOf(issue)),
    ...contradictionsIn(raw),
    ...pageFindings,
  ];
  const placed = [...document.findings, ...findings.map(document.place)];
  if (!parsed.success || placed.length > 0) return { ok: false, problems: problems(placed) };
  const warnings = warningsIn(parsed.data).map(document.place);
  return { ok: true, config: buildConfig(parsed.data, pages), warnings: problems(warnings) };
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return "it is nested too deep";
  if (error instanceof ReferenceError)
    return "its aliases are too many, or lead back to themselves";
  return error instanceof Error ? error.message : String(error);
}

/** As in Compose, `x-` keys at the top are free: a place for anchors. */
function withoutExtensions(value: unknown): unknown {
  return Object.fromEntries(entriesOf(value).filter(([key]) => !key.startsWith("x-")));
}

function emptyFinding(value: unknown): Finding | undefined {
  if (isRecord(value)) return undefined;
  const isEmpty = value === null || value === undefined;
  const what = isEmpty ? "the file is empty" : "the file is no map of keys";
  return { path: [], at: "value", message: `${what}: write at least \`listen\` and \`groups\`` };
}

/** In the order of the text; of several at one place with the same path only the first. */
function problemsOf(text: string, file: string, findings: readonly PlacedFinding[]): Problem[] {
  const lines = text.split("\n");
  const told = new Set<string>();
  return findings
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ path, message, line, column }) => ({
      file,
      line,
      column,
      path: path.map(String).join("."),
      message,
      source: (lines[line - 1] ?? "").replace(/\r$/, ""),
    }))
    .filter((problem) => {
      const place = `${problem.line}:${problem.column} ${problem.path}`;
      return problem.path === "" || (!told.has(place) && told.add(place).size > 0);
    });
}
