import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { formatProblem } from "../../src/config/problem.ts";

/** The configuration that a text gives; its pages say what `readText` gives, by default their path. */
export function configOf(text: string, readText = (path: string): string => path): Config {
  const result = parseConfig(text, { file: "test.yaml", env: {}, readText });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.config;
}
