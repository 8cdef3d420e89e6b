import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether `Authorization` carries the token with this SHA-256 (hexadecimal digits). Takes as long for a token that is
 * nearly right as for any other: hashes are compared, of one length, to their end.
 */
export function bearsToken(authorization: string | undefined, tokenHash: string): boolean {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return false;
  const given = createHash("sha256").update(token).digest();
  const wanted = Buffer.from(tokenHash, "hex");
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
