import type { Config } from "../config/config.ts";
import type { Env } from "../config/interpolate.ts";
import { formatProblem } from "../config/problem.ts";
import { readConfig } from "../config/read-config.ts";

/** The configuration in `file`, or undefined after every problem was told on stderr. */
export function loadConfig(file: string, env: Env): Config | undefined {
  const result = readConfig(file, env);
  for (const problem of result.ok ? result.warnings : result.problems) {
    process.stderr.write(`${formatProblem(problem)}\n`);
  }
  return result.ok ? result.config : undefined;
}
