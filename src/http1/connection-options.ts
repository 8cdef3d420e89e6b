import { listElements } from "./octets.ts";

/** What a Connection field asks for (RFC 9110 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Lower-case names of the fields that it declares to be for this connection only. */
  readonly nominated: ReadonlySet<string>;
}

const NONE: ConnectionOptions = {
  close: false,
  keepAlive: false,
  upgrade: false,
  nominated: new Set(),
};
const KEEP_ALIVE: ConnectionOptions = { ...NONE, keepAlive: true };
const CLOSE: ConnectionOptions = { ...NONE, close: true };

// Nobody can nominate away what the gateway sets or what the other side trusts
// (CVE-2022-31813, CVE-2024-45410).
const PROTECTED = new Set([
  ..."close keep-alive upgrade host content-length transfer-encoding".split(" "),
  ..."forwarded via x-request-id x-real-ip authorization cookie".split(" "),
]);

export function readConnection(value: string | undefined): ConnectionOptions {
  if (value === undefined) return NONE;
  if (value === "keep-alive") return KEEP_ALIVE;
  if (value === "close") return CLOSE;
  const options = new Set(listElements(value));
  return {
    close: options.has("close"),
    keepAlive: options.has("keep-alive"),
    upgrade: options.has("upgrade"),
    nominated: new Set([...options].filter((name) => !isProtected(name))),
  };
}

function isProtected(name: string): boolean {
  return name === "" || PROTECTED.has(name) || name.startsWith("x-forwarded-");
}

const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/;

/** The one protocol that an Upgrade field names, in lower case; undefined where it is a list or none. */
export function readProtocol(value: string | undefined): string | undefined {
  const protocol = value?.toLowerCase();
  return protocol !== undefined && PROTOCOL.test(protocol) ? protocol : undefined;
}
