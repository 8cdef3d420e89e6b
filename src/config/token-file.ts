import { createHash } from "node:crypto";
import type { Finding } from "./issues.ts";
import { field } from "./raw.ts";

/** The token that operators need, as `admin.token_file` has it. */
export interface TokenFile {
  /** SHA-256 in hexadecimal digits: nobody but its owner needs the token itself. */
  readonly hash: string | undefined;
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
}

const SHORTEST = 16;
const NO_TOKEN: TokenFile = { hash: undefined, findings: [], warnings: [] };

/** How the file is read; both throw where it cannot. */
export interface TokenReader {
  readonly readText: (path: string) => string;
  /** Its permissions, `0o600`. */
  readonly modeOf: (path: string) => number;
}

export function readTokenFile(raw: unknown, { readText, modeOf }: TokenReader): TokenFile {
  const path = field(field(raw, "admin"), "token_file");
  if (typeof path !== "string" || path === "") return NO_TOKEN;
  try {
    const token = readText(path).trim();
    const message = whatIsWrongWith(token);
    if (message !== undefined) return { ...NO_TOKEN, findings: [at(message)] };
    const isOpen = (modeOf(path) & 0o004) !== 0;
    const warnings = isOpen ? [at(`everybody on this machine may read it: chmod 600 ${path}`)] : [];
    return { hash: hashOfToken(token), findings: [], warnings };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...NO_TOKEN, findings: [at(`cannot be read: ${reason}`)] };
  }
}

export function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function whatIsWrongWith(token: string): string | undefined {
  if (token.length < SHORTEST) {
    return `holds ${token.length} characters, a token has at least ${SHORTEST}: openssl rand -hex 32`;
  }
  // What a header field can carry, and no second line by mistake.
  if (!/^[\x21-\x7e]+$/.test(token))
    return "holds more than one word of ASCII: write the token alone";
  return undefined;
}

function at(message: string): Finding {
  return { path: ["admin", "token_file"], at: "value", message };
}
