import { isToken, trimmed } from "./octets.ts";

// RFC 9110 6.5.1: what frames, routes, authenticates, limits or describes the message comes too
// late in a trailer, and a server that merged it would trust it like a field of the head.
const REFUSED = new Set([
  ..."transfer-encoding content-length host trailer connection keep-alive te upgrade".split(" "),
  ..."proxy-connection http2-settings content-encoding content-type content-range".split(" "),
  ..."authorization proxy-authorization proxy-authenticate www-authenticate cookie".split(" "),
  ..."set-cookie forwarded via x-real-ip x-request-id expect max-forwards range".split(" "),
  ..."cache-control pragma age date expires vary location retry-after".split(" "),
  ..."if-match if-none-match if-modified-since if-unmodified-since if-range".split(" "),
  ..."sec-websocket-key sec-websocket-accept idempotency-key".split(" "),
]);

/**
 * The line, with its CRLF, where it may go on; "" where not; undefined where it is malformed. What
 * Connection has nominated goes no further in a trailer either (RFC 9110 7.6.1).
 */
export function readTrailer(line: string, nominated: ReadonlySet<string>): string | undefined {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  if (!isToken(name)) return undefined;
  const value = trimmed(line, colon + 1, line.length);
  const lower = name.toLowerCase();
  return mayPass(lower) && !nominated.has(lower) ? `${name}: ${value}\r\n` : "";
}

function mayPass(name: string): boolean {
  return !REFUSED.has(name) && !name.startsWith("x-forwarded-") && !name.includes("_");
}
