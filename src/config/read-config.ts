import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Env } from "./interpolate.ts";
import { parseConfig, type ParseResult } from "./parse-config.ts";

/** Reads a configuration file, and the error pages that it names, beside it. */
export function readConfig(file: string, env: Env): ParseResult {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const place = { line: 0, column: 0, path: "", source: "" };
    return { ok: false, problems: [{ ...place, file, message: `cannot be read: ${reason}` }] };
  }
  const folder = dirname(file);
  return parseConfig(text, {
    file,
    env,
    readText: (path) => readFileSync(resolve(folder, path), "utf8"),
  });
}
