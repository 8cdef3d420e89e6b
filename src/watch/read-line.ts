import { type Fields, factsOf, type LineFacts } from "./line-facts.ts";

/** What is behind it is of no interest, and is not worth the time. */
const MOST_CHARS = 16_384;

/**
 * Reads a line of an access log: JSON, `name=value` pairs with or without the usual front of nginx's
 * lines before them, or `combined`. Undefined where it is none of these.
 */
export function readLine(line: string): LineFacts | undefined {
  const text = line.slice(0, MOST_CHARS);
  return factsOf(text.startsWith("{") ? jsonFields(text) : textFields(text));
}

function jsonFields(text: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return new Map();
  }
  return named(
    Object.entries(Object(json)).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, String(value)]] : [],
    ),
  );
}

function textFields(text: string): Fields {
  const [, bracketed] = /\[([^\]]+)\]/.exec(text) ?? [];
  // Behind the request: `"GET / HTTP/1.1" 200`.
  const [, status] = /" (\d{3})(?: |$)/.exec(text) ?? [];
  const pairs = Array.from(text.matchAll(TOKEN), ([, name = "", quoted, bare = ""]) => [
    name,
    quoted === undefined ? bare : unquoted(quoted),
  ]);
  return named([["time_local", bracketed ?? ""], ["status", status ?? ""], ...pairs]);
}

/**
 * A pair, whose value is in quotes or a list as nginx writes it, `502, 200 : 200`; or something in quotes
 * without a name: what a client wrote is no pair of ours.
 */
const TOKEN =
  /(?<![\w.@])([A-Za-z_@][\w.@]*)=(?:("(?:[^"\\]|\\.)*")|([^\s",]+(?:(?:,| :) [^\s",]+)*))|"(?:[^"\\]|\\.)*"/g;

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return value.slice(1, -1);
  }
}

function named(entries: readonly (readonly string[])[]): Fields {
  return new Map(
    entries.flatMap(([name = "", value = ""]) =>
      value === "" || value === "-" ? [] : [[name.toLowerCase(), value]],
    ),
  );
}
