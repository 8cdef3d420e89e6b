import type { IncomingMessage } from "node:http";

/** In which a program names who gives its orders: `cli ops@web1`. */
export const BY_FIELD = "X-Understudy-By";

const LONGEST_NAME = 64;

/** Who gives an order, in words: what the request says of itself, else its address. */
export function orderedBy({ headers, socket }: IncomingMessage): string {
  const told = headers[BY_FIELD.toLowerCase()];
  const name = typeof told === "string" ? cleanName(told) : "";
  // A unix socket's clients have no address.
  return name === "" ? `api ${socket.remoteAddress ?? "by its socket"}` : name;
}

/** It goes to logs and terminals: printable ASCII only. */
function cleanName(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]+/g, "?")
    .trim()
    .slice(0, LONGEST_NAME);
}
