import { bad, type Parsed } from "./parsed.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Compose's variables in a value: `${VAR}`, `${VAR:-default}` (unset or empty), `${VAR-default}`
 * (unset), `${VAR:?message}`, `${VAR?message}`, and `$$` for a dollar sign. Defaults may hold
 * variables. Unlike in Compose an unset `${VAR}` is an error, and `$VAR` stands for itself: it is
 * how log templates are written.
 */
export function interpolate(text: string, env: Env): Parsed<string> {
  const read = readText({ source: text, at: 0, depth: 0 }, env);
  return read.ok ? { ok: true, value: read.value.text } : read;
}

interface Cursor {
  readonly source: string;
  readonly at: number;
  /** In how many `${` this is. */
  readonly depth: number;
}

interface Piece {
  readonly text: string;
  readonly end: number;
}

const DEEPEST = 16;
const OPENING = /\$\{([A-Za-z_]\w*)(:?[-?]|(?=\}))/y;

/** Reads to the end, or inside a variable to its `}`. Without `env` nothing is looked up. */
function readText({ source, at, depth }: Cursor, env: Env | undefined): Parsed<Piece> {
  let text = "";
  let end = at;
  while (end < source.length) {
    if (depth > 0 && source[end] === "}") break;
    if (source.startsWith("${", end)) {
      const variable = readVariable({ source, at: end, depth: depth + 1 }, env);
      if (!variable.ok) return variable;
      text += variable.value.text;
      end = variable.value.end;
    } else {
      text += source[end] ?? "";
      end += source.startsWith("$$", end) ? 2 : 1;
    }
  }
  return { ok: true, value: { text, end } };
}

function readVariable({ source, at, depth }: Cursor, env: Env | undefined): Parsed<Piece> {
  OPENING.lastIndex = at;
  const opening = OPENING.exec(source);
  if (opening === null) {
    return bad(
      `cannot read ${source.slice(at, at + 20)}: write \${NAME} or \${NAME:-default}, $$ for a $`,
    );
  }
  if (depth > DEEPEST) return bad(`variables are nested more than ${DEEPEST} deep`);
  const [all, name = "", operator = ""] = opening;
  const value = env === undefined ? "" : valueOf(name, env);
  const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
  // A default that is not used is read for its end only.
  const word = readText({ source, at: at + all.length, depth }, isSet ? undefined : env);
  if (!word.ok) return word;
  if (source[word.value.end] !== "}") return bad(`\${${name} has no closing }`);
  const end = word.value.end + 1;
  if (isSet || env === undefined) return { ok: true, value: { text: value ?? "", end } };
  if (operator.endsWith("-")) return { ok: true, value: { text: word.value.text, end } };
  return bad(unset(name, value, operator, word.value.text));
}

/** `constructor` and its like are no variables. */
function valueOf(name: string, env: Env): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

function unset(name: string, value: string | undefined, operator: string, message: string): string {
  const state = value === undefined ? "not set" : "empty";
  if (message !== "") return `\${${name}} is ${state}: ${message}`;
  const hint = operator === "" ? `: set it, or write \${${name}:-default}` : "";
  return `\${${name}} is ${state}${hint}`;
}
