import { systemClock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { Env } from "../config/interpolate.ts";
import type { KeptGroup } from "../config/parse-config.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { type FileRead, readConfig } from "../config/read-config.ts";
import { type ConfigWatch, watchConfig } from "../config/watch-config.ts";
import type { Reading } from "../gateway.ts";

/** A configuration in a file that is read again when it changes. */
export class FollowedConfig {
  readonly #file: string;
  readonly #env: Env;
  /** As last read. */
  #files: readonly FileRead[] = [];
  #watch: ConfigWatch | undefined;

  constructor(file: string, env: Env) {
    this.#file = file;
    this.#env = env;
  }

  /** With `previous` the configuration in service: `isolate: true` keeps groups of it. */
  read(previous?: Config): Reading {
    const result = readConfig(this.#file, this.#env, previous);
    this.#files = result.files;
    this.#watch?.replace(this.#files);
    if (!result.ok) return { ok: false, problems: result.problems.map(formatProblem) };
    const { config, hash, kept, warnings } = result;
    return {
      ok: true,
      config,
      hash,
      remarks: [...warnings.map(formatProblem), ...kept.map(inWords)],
    };
  }

  /** Calls back when the file, or a page that it names, differs from what was read last. */
  follow(onChange: () => void): void {
    this.#watch = watchConfig({ clock: systemClock, onChange });
    this.#watch.replace(this.#files);
  }

  async stop(): Promise<void> {
    await this.#watch?.stop();
  }
}

function inWords({ group, problems }: KeptGroup): string {
  return `group ${group} stays as it was:\n${listOf(problems)}`;
}

function listOf(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}
