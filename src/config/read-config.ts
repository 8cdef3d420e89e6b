import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Config } from "./config.ts";
import type { Env } from "./interpolate.ts";
import { parseConfig, type ParseResult } from "./parse-config.ts";

/** A file as it was read. */
export interface FileRead {
  /** Absolute. */
  readonly path: string;
  /** Undefined where it cannot be read. */
  readonly text: string | undefined;
}

export type ReadResult = ParseResult & {
  /** What was read, or tried: the configuration and the pages that it names. */
  readonly files: readonly FileRead[];
};

/**
 * Reads a configuration file, and the error pages and the token that it names, beside it. With `previous`, the
 * configuration in service, and `isolate: true` groups that are wrong stay as they were there.
 */
export function readConfig(file: string, env: Env, previous?: Config): ReadResult {
  const files = new Map<string, string | undefined>();
  const read = (path: string): string => {
    files.set(path, undefined);
    const text = readFileSync(path, "utf8");
    files.set(path, text);
    return text;
  };
  const result = readAndParse(file, { env, previous, read });
  return { ...result, files: Array.from(files, ([path, text]) => ({ path, text })) };
}

interface Means {
  readonly env: Env;
  readonly previous: Config | undefined;
  /** Throws where it cannot. */
  readonly read: (path: string) => string;
}

function readAndParse(file: string, { env, previous, read }: Means): ParseResult {
  const path = resolve(file);
  let text: string;
  try {
    text = read(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const place = { line: 0, column: 0, path: "", source: "" };
    return { ok: false, problems: [{ ...place, file, message: `cannot be read: ${reason}` }] };
  }
  const beside = (page: string): string => resolve(dirname(path), page);
  const readText = (page: string): string => read(beside(page));
  const modeOf = (page: string): number => statSync(beside(page)).mode;
  return parseConfig(text, { file, env, previous, readText, modeOf });
}
