import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { parseAddress } from "./address.ts";
import type { Address } from "./config.ts";
import { interpolate, type Env } from "./interpolate.ts";
import { bad, good, type Parsed } from "./parsed.ts";
import { field } from "./raw.ts";

/** Where operators reach a gateway, and the file of the token that they need there. */
export interface AdminPlace {
  readonly address: Address;
  readonly tokenFile: string | undefined;
}

/**
 * `admin` of a configuration file alone: whoever asks the gateway what is wrong with the file has to
 * find it although something is wrong.
 */
export function readAdminPlace(file: string, env: Env): Parsed<AdminPlace> {
  const written = readAdmin(file);
  if (!written.ok) return written;
  const address = readValue(written.value, "address", env);
  if (address === undefined) return bad(`${file} has no \`admin: { address: 127.0.0.1:9900 }\``);
  const parsed = address.ok ? parseAddress(address.value) : address;
  if (!parsed.ok) return bad(`${file}: admin.address: ${parsed.message}`);
  const token = readValue(written.value, "token_file", env);
  if (token?.ok === false) return bad(`${file}: admin.token_file: ${token.message}`);
  const tokenFile = token && resolve(dirname(file), token.value);
  return good({ address: parsed.value, tokenFile });
}

function readAdmin(file: string): Parsed<unknown> {
  try {
    const document = parseDocument(readFileSync(file, "utf8"), {
      merge: true,
      uniqueKeys: false,
      logLevel: "silent",
    });
    return good(field(document.toJS({ maxAliasCount: 100 }), "admin"));
  } catch (error) {
    return bad(
      `${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Undefined where it is no text. */
function readValue(admin: unknown, key: string, env: Env): Parsed<string> | undefined {
  const value = field(admin, key);
  return typeof value === "string" ? interpolate(value, env) : undefined;
}
