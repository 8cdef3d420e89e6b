import { createHash } from "node:crypto";
import { withAlertEnv, withEnvName } from "./alert-env.ts";
import type { Config } from "./config.ts";
import { buildConfig } from "./build-config.ts";
import { contradictionsIn } from "./contradictions.ts";
import { readDocument, type PlacedFinding, type ReadDocument } from "./document.ts";
import { readErrorPages } from "./error-pages.ts";
import type { Env } from "./interpolate.ts";
import { findingsOf, type Finding } from "./issues.ts";
import { clashesWith, groupsToKeep, withGroups, withoutGroups } from "./isolate.ts";
import type { Problem } from "./problem.ts";
import { entriesOf, field, isRecord } from "./raw.ts";
import { configSchema } from "./schema.ts";
import { readTokenFile } from "./token-file.ts";
import { warningsIn } from "./warnings.ts";

export type ParseResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** 12 hex digits for the text, the values of its variables, and its pages. */
      readonly hash: string;
      /** Groups that are wrong and stay as they were (`isolate: true`). */
      readonly kept: readonly KeptGroup[];
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface KeptGroup {
  readonly group: string;
  /** What is wrong with its new form. */
  readonly problems: readonly Problem[];
}

export interface ParseOptions {
  /** The name that problems carry. */
  readonly file: string;
  /** Where `${VAR}` is looked up. */
  readonly env: Env;
  /** Reads an error page or the token's file; throws where it cannot. */
  readonly readText: (path: string) => string;
  /** The permissions of the token's file; undefined = they are not looked at. */
  readonly modeOf?: ((path: string) => number) | undefined;
  /** What is in service: where groups that are wrong come from with `isolate: true`. */
  readonly previous?: Config | undefined;
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

function parse(text: string, options: ParseOptions): ParseResult {
  const { file, env, readText, previous, modeOf = () => 0o600 } = options;
  const document = readDocument(text, env);
  const problems = (findings: readonly PlacedFinding[]) => problemsOf(text, file, findings);
  if (!isRecord(document.value)) return { ok: false, problems: problems(noMap(document)) };
  const raw = withAlertEnv(withoutExtensions(document.value), env);
  const { pages, findings: pageFindings } = readErrorPages(raw, readText);
  const token = readTokenFile(raw, { readText, modeOf });
  const inSchema = schemaFindings(raw).map((finding) => withEnvName(finding, document.value));
  const found = [...inSchema, ...contradictionsIn(raw), ...pageFindings];
  const findings = [...document.findings, ...[...found, ...token.findings].map(document.place)];
  // What is below an anchor may be wrong in more groups than the one it is told of.
  const mayKeep = field(raw, "isolate") === true && !document.isShared;
  const kept = groupsToKeep(findings, mayKeep ? previous : undefined);
  const taken = withoutGroups(raw, kept ?? []);
  const parsed = configSchema.safeParse(taken);
  if (kept === undefined || !parsed.success) return { ok: false, problems: problems(findings) };
  const config = withGroups(buildConfig(parsed.data, pages, token.hash), kept, raw);
  const clashes = clashesWith(kept, config).map(document.place);
  if (clashes.length > 0) return { ok: false, problems: problems([...findings, ...clashes]) };
  return {
    ok: true,
    config,
    hash: hashOf([text, taken, ...pages, ...(token.hash === undefined ? [] : [token.hash])]),
    kept: kept.map(({ name }) => ({
      group: name,
      problems: problems(findings.filter(({ path }) => path[1] === name)),
    })),
    warnings: problems([...warningsIn(parsed.data), ...token.warnings].map(document.place)),
  };
}

function schemaFindings(raw: unknown): Finding[] {
  const { error } = configSchema.safeParse(raw, { reportInput: true });
  return (error?.issues ?? []).flatMap((issue) => findingsOf(issue));
}

/** Of the text, of its data, which hold what the variables gave, and of the pages. */
function hashOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return "it is nested too deep";
  if (error instanceof ReferenceError)
    return "its aliases are too many, or lead back to themselves";
  return error instanceof Error ? error.message : String(error);
}

/** As in Compose, `x-` keys at the top are free: a place for anchors. */
function withoutExtensions(value: unknown): Record<string, unknown> {
  return Object.fromEntries(entriesOf(value).filter(([key]) => !key.startsWith("x-")));
}

function noMap({ value, findings, place }: ReadDocument): readonly PlacedFinding[] {
  if (value === undefined && findings.length > 0) return findings;
  const what =
    value === null || value === undefined ? "the file is empty" : "the file is no map of keys";
  const message = `${what}: write at least \`listen\` and \`groups\``;
  return [place({ path: [], at: "value", message })];
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
