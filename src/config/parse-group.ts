import type { GroupConfig } from "./config.ts";
import { bad, good, type Parsed } from "./parsed.ts";
import { parseConfig } from "./parse-config.ts";

/** Any address that is right: only the group is of interest. */
const LISTEN = "127.0.0.1:1";

/** A group that is given as data, as it would stand in a file; or all that is wrong with it, as `path: message`. */
export function parseGroup(name: string, definition: unknown): Parsed<GroupConfig> {
  const text = JSON.stringify({ listen: LISTEN, groups: { [name]: definition } });
  const result = parseConfig(text, { file: name, env: {}, readText: noFile });
  if (result.ok) {
    const [group] = result.config.groups;
    return group === undefined ? bad(`${name}: is no group`) : good(group);
  }
  return bad(result.problems.map(({ path, message }) => `${path}: ${message}`).join("; "));
}

function noFile(): never {
  throw new Error("a group that is given at run time has no files beside it");
}
