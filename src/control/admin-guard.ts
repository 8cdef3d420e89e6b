import { isIP } from "node:net";
import type { Address } from "../config/config.ts";

/** What tells whether a page of another site has sent a request through somebody's browser. */
export interface Sender {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Why a request is turned away, or undefined. */
export function refusalOf({ method, host, origin }: Sender, address: Address): string | undefined {
  if (!isOurHost(host, address)) {
    return `the Host ${JSON.stringify(host ?? "")} is none of this API: use an IP address, localhost or the configured name`;
  }
  const changes = method !== "GET" && method !== "HEAD";
  if (changes && origin !== undefined && hostOf(origin) !== host?.toLowerCase()) {
    return "a page of another origin may order nothing here";
  }
  return undefined;
}

/**
 * DNS rebinding: a page may let its own name lead to this address, and its browser then takes this
 * API for that page's site. It always has the name in `Host`. No page of the internet has an IP
 * address as its name, or one without a dot (as containers have); no browser reaches unix sockets.
 */
function isOurHost(host: string | undefined, address: Address): boolean {
  if (address.kind === "unix") return true;
  if (host === undefined) return false;
  const name = host.toLowerCase().replace(/:\d*$/, "");
  const literal = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  if (isIP(literal) !== 0 || name === address.host) return true;
  return /^[a-z0-9_-]+$/.test(name);
}

/** `localhost:9900` of `http://localhost:9900`. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}
