import { listElements } from "./octets.ts";

/** Length of a body in bytes (0 = none), or how its end is found; "close" only in answers. */
export type Framing = number | "chunked" | "close";

/** The value of Content-Length; undefined where it is not one safe number (so for "5, 5" too). */
export function readContentLength(value: string): number | undefined {
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value === "" ? undefined : length;
}

/**
 * What a Transfer-Encoding says: "chunked" alone is understood; "unknown" has other codings before
 * a final chunked; "malformed" leaves the end of the body unclear (RFC 9112 6.1, 6.3).
 */
export function readTransferEncoding(value: string): "chunked" | "unknown" | "malformed" {
  if (value === "chunked") return "chunked";
  const codings = listElements(value);
  if (codings.pop() !== "chunked") return "malformed";
  if (codings.length === 0) return "chunked";
  const wellFormed = codings.every((coding) => coding !== "chunked" && isCoding(coding));
  return wellFormed ? "unknown" : "malformed";
}

function isCoding(coding: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(coding);
}
