import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../src/config/config.ts";

/** The next configuration, with the very groups of the one before where they say the same. */
export function reuseUnchanged(before: Config, next: Config): Config {
  const groups = next.groups.map(
    (group) => before.groups.find((known) => isDeepStrictEqual(known, group)) ?? group,
  );
  return { ...next, groups };
}
