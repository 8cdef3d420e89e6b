import { basename, dirname, extname, join, resolve } from "node:path";

/** The file of the orders that belong to a configuration: `understudy.yaml` -> `understudy.state.json`. */
export function stateFileOf(configFile: string, stateDir: string | undefined): string {
  const file = resolve(configFile);
  const name = `${basename(file, extname(file))}.state.json`;
  return join(resolve(dirname(file), stateDir ?? "."), name);
}
