import type { ExchangeRecord } from "../events.ts";
import { escapeText } from "./log-escape.ts";
import { findVariable, knownVariables } from "./log-variables.ts";
import type { Variable } from "./log-variables.ts";

export type Template =
  | { readonly ok: true; readonly format: (record: ExchangeRecord) => string }
  | { readonly ok: false; readonly unknown: string; readonly known: readonly string[] };

/** Formats that are no template, by name. */
export const LOG_FORMATS = ["json", "logfmt", "ecs", "otel"] as const;

/** Templates that a configuration may name instead of writing them out. */
export const LOG_PRESETS = {
  combined:
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
  blue_green:
    '$remote_addr - [$time_iso8601] "$request" $status pool=$pool release=$release ' +
    "upstream_status=$upstream_status upstream_addr=$upstream_addr latency=$request_time",
} as const;

/** Reads nginx's `log_format` syntax: text with `$name` and `${name}`. */
export function compileTemplate(template: string): Template {
  const parts: Part[] = [];
  let head = "";
  for (const token of template.match(TOKENS) ?? []) {
    if (!token.startsWith("$")) {
      const last = parts.at(-1);
      if (last === undefined) head = token;
      else last.after = token;
      continue;
    }
    const variable = findVariable(token.replace(/^\$\{?|\}$/g, ""));
    if (variable === undefined) return { ok: false, unknown: token, known: knownVariables() };
    parts.push({ variable, after: "" });
  }
  return { ok: true, format: formatter(head, parts) };
}

interface Part {
  readonly variable: Variable;
  /** The text between this variable and the next. */
  after: string;
}

const TOKENS = /\$\{\w+\}|\$\w*\{?|[^$]+/g;

function formatter(head: string, parts: readonly Part[]): (record: ExchangeRecord) => string {
  const fields = parts.map(fieldOf);
  return (record) => {
    let line = head;
    for (const field of fields) line += field(record);
    return line;
  };
}

/** Writes a variable and the text behind it. */
function fieldOf({ variable, after }: Part): (record: ExchangeRecord) => string {
  const { read, kind } = variable;
  if (kind === "own") return (record) => (read(record) ?? "-") + after;
  const end = kind === "free" ? after.slice(0, 1) : "";
  let last: string | undefined;
  let text = "";
  // Most values repeat from line to line: comparing is cheaper than escaping. join() makes one piece.
  return (record) => {
    const value = read(record) ?? "-";
    if (value !== last) {
      last = value;
      text = [escapeText(value, end), after].join("");
    }
    return text;
  };
}
