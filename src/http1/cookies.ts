import { trimmed } from "./octets.ts";

/** The values that a Cookie field holds under a name, as sent. */
export function cookieValues(cookies: string, name: string): readonly string[] {
  return cookies
    .split(";")
    .filter((pair) => isNamed(pair, name))
    .map((pair) => trimmed(pair, pair.indexOf("=") + 1, pair.length));
}

/** Checked lines without the cookies of one name; all others stay as they stand. */
export function withoutCookie(lines: string, name: string): string {
  let kept = "";
  for (let line = 0, next = 0; line < lines.length; line = next) {
    next = lines.indexOf("\n", line) + 1;
    const text = lines.slice(line, next);
    kept += /^cookie:/i.test(text) ? withoutPair(text, name) : text;
  }
  return kept;
}

// RFC 6265 5.4: pairs are divided by ";" alone, which no quotes hide.
function withoutPair(line: string, name: string): string {
  const pairs = line.slice(FIELD_BYTES, -2).split(";");
  const others = pairs.filter((pair) => !isNamed(pair, name));
  if (others.length === pairs.length) return line;
  const rest = others.join(";");
  const value = trimmed(rest, 0, rest.length);
  return value === "" ? "" : `${line.slice(0, FIELD_BYTES)} ${value}\r\n`;
}

const FIELD_BYTES = "cookie:".length;

function isNamed(pair: string, name: string): boolean {
  const end = pair.indexOf("=");
  return end >= 0 && trimmed(pair, 0, end) === name;
}
