import { trimmed } from "./octets.ts";

/**
 * The value of a field by its lower-case name in checked lines from `at` on: repeated ones joined
 * by ", ", cookies by "; "; undefined where there is none.
 */
export function fieldValue(lines: string, at: number, name: string): string | undefined {
  let joined: string | undefined;
  for (let line = at; line < lines.length - 2; line = nextLine(lines, line)) {
    const colon = lines.indexOf(":", line);
    if (colon - line !== name.length || lines.slice(line, colon).toLowerCase() !== name) continue;
    const value = trimmed(lines, colon + 1, nextLine(lines, line) - 2);
    joined = joined === undefined ? value : joined + (name === "cookie" ? "; " : ", ") + value;
  }
  return joined;
}

/** Checked lines without those of the lower-case names. */
export function withoutFields(lines: string, names: ReadonlySet<string>): string {
  let kept = "";
  for (let line = 0; line < lines.length; line = nextLine(lines, line)) {
    const name = lines.slice(line, lines.indexOf(":", line)).toLowerCase();
    if (!names.has(name)) kept += lines.slice(line, nextLine(lines, line));
  }
  return kept;
}

/** Checked lines without those with "_" in their name. */
export function withoutUnderscores(lines: string): string {
  let kept = "";
  for (let line = 0; line < lines.length; line = nextLine(lines, line)) {
    const name = lines.slice(line, lines.indexOf(":", line));
    if (!name.includes("_")) kept += lines.slice(line, nextLine(lines, line));
  }
  return kept;
}

function nextLine(lines: string, line: number): number {
  return lines.indexOf("\n", line) + 1;
}
