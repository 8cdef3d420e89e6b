import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { parseAddress } from "./address.ts";
import type { Address } from "./config.ts";
import { interpolate, type Env } from "./interpolate.ts";
import { bad, type Parsed } from "./parsed.ts";
import { field } from "./raw.ts";

/**
 * `admin.address` of a configuration file alone: whoever asks the gateway what is wrong with the
 * file has to find it although something is wrong.
 */
export function readAdminAddress(file: string, env: Env): Parsed<Address> {
  const text = readAddressText(file);
  if (!text.ok) return text;
  const replaced = interpolate(text.value, env);
  const address = replaced.ok ? parseAddress(replaced.value) : replaced;
  return address.ok ? address : bad(`${file}: admin.address: ${address.message}`);
}

function readAddressText(file: string): Parsed<string> {
  try {
    const document = parseDocument(readFileSync(file, "utf8"), {
      merge: true,
      uniqueKeys: false,
      logLevel: "silent",
    });
    const address = field(field(document.toJS({ maxAliasCount: 100 }), "admin"), "address");
    if (typeof address === "string") return { ok: true, value: address };
    return bad(`${file} has no \`admin: { address: 127.0.0.1:9900 }\``);
  } catch (error) {
    return bad(
      `${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
