import { existsSync } from "node:fs";
import { parseAddress } from "../config/address.ts";
import { readAdminAddress } from "../config/admin-address.ts";
import type { Address } from "../config/config.ts";
import type { Env } from "../config/interpolate.ts";
import { bad, type Parsed } from "../config/parsed.ts";

/** Where a command was told to look for the gateway. */
export interface GatewayPlace {
  readonly admin?: string | undefined;
  readonly config?: string | undefined;
}

const DEFAULT_FILE = "understudy.yaml";

/** The admin API's address: `--admin`, else `UNDERSTUDY_ADMIN`, else by the configuration file. */
export function findGateway({ admin, config }: GatewayPlace, env: Env): Parsed<Address> {
  if (admin !== undefined) return named(admin, "--admin");
  const fromEnv = env["UNDERSTUDY_ADMIN"];
  if (fromEnv !== undefined && fromEnv !== "") return named(fromEnv, "UNDERSTUDY_ADMIN");
  if (config === undefined && !existsSync(DEFAULT_FILE)) {
    return bad("which gateway? give --admin ADDRESS or --config FILE, or set UNDERSTUDY_ADMIN");
  }
  return readAdminAddress(config ?? DEFAULT_FILE, env);
}

function named(text: string, from: string): Parsed<Address> {
  const address = parseAddress(text);
  return address.ok ? address : bad(`${from}: ${address.message}`);
}
