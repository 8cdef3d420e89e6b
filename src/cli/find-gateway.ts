import { existsSync, readFileSync } from "node:fs";
import { parseAddress } from "../config/address.ts";
import { type AdminPlace, readAdminPlace } from "../config/admin-place.ts";
import type { Address } from "../config/config.ts";
import type { Env } from "../config/interpolate.ts";
import { bad, good, type Parsed } from "../config/parsed.ts";

/** Where a command was told to look for the gateway. */
export interface GatewayPlace {
  readonly admin?: string | undefined;
  readonly config?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** A gateway's admin API, and what it asks for. */
export interface FoundGateway {
  readonly address: Address;
  readonly token: string | undefined;
}

const DEFAULT_FILE = "understudy.yaml";

/**
 * The admin API's address: `--admin`, else `UNDERSTUDY_ADMIN`, else by the configuration file. Its token: from
 * `--token-file`, else `UNDERSTUDY_TOKEN_FILE`, else from the file that the configuration names.
 */
export function findGateway(place: GatewayPlace, env: Env): Parsed<FoundGateway> {
  const found = findPlace(place, env);
  if (!found.ok) return found;
  const { address, tokenFile } = found.value;
  if (place.tokenFile !== undefined) return withToken(address, place.tokenFile, "--token-file");
  const fromEnv = env["UNDERSTUDY_TOKEN_FILE"];
  if (fromEnv) return withToken(address, fromEnv, "UNDERSTUDY_TOKEN_FILE");
  const read = tokenFile === undefined ? undefined : readToken(tokenFile);
  // Whoever may not read it can still ask what needs no token.
  return good({ address, token: read?.ok === true ? read.value : undefined });
}

function findPlace({ admin, config }: GatewayPlace, env: Env): Parsed<AdminPlace> {
  const fromEnv = env["UNDERSTUDY_ADMIN"];
  if (admin !== undefined) return named(admin, "--admin");
  if (fromEnv) return named(fromEnv, "UNDERSTUDY_ADMIN");
  if (config === undefined && !existsSync(DEFAULT_FILE)) {
    return bad("which gateway? give --admin ADDRESS or --config FILE, or set UNDERSTUDY_ADMIN");
  }
  return readAdminPlace(config ?? DEFAULT_FILE, env);
}

function named(text: string, from: string): Parsed<AdminPlace> {
  const address = parseAddress(text);
  if (!address.ok) return bad(`${from}: ${address.message}`);
  return good({ address: address.value, tokenFile: undefined });
}

function withToken(address: Address, file: string, from: string): Parsed<FoundGateway> {
  const token = readToken(file);
  return token.ok ? good({ address, token: token.value }) : bad(`${from}: ${token.message}`);
}

function readToken(file: string): Parsed<string> {
  try {
    const token = readFileSync(file, "utf8").trim();
    // Nothing else can stand in a header field.
    return /^[\x21-\x7e]+$/.test(token) ? good(token) : bad(`${file} holds no token`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return bad(`${file} cannot be read: ${reason}`);
  }
}
