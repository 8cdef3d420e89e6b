import { bad, good, quote, type Parsed } from "./parsed.ts";

/** RFC 9110 7.8: a token, perhaps with a version. */
export const PROTOCOL_PATTERN =
  "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\\-.^_`|~0-9A-Za-z]+)?$";
const PROTOCOL = new RegExp(PROTOCOL_PATTERN);

/** A protocol to upgrade to, in lower case. */
export function parseProtocol(input: unknown): Parsed<string> {
  if (typeof input !== "string" || !PROTOCOL.test(input)) {
    return bad(`${quote(input)} is no protocol: write websocket`);
  }
  const protocol = input.toLowerCase();
  // Requests within these would reach the server unseen, past every rule of the gateway.
  if (/^(?:h2c|tls|http)(?:$|\/)/.test(protocol)) {
    return bad(`${input} is never passed on: it would carry requests unchecked`);
  }
  return good(protocol);
}
