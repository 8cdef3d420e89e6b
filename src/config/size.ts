import { bad, good, quote, type Parsed } from "./parsed.ts";

export const SIZE_PATTERN = "^(\\d+)([bBkKmMgG]?)$";

const SIZE = new RegExp(SIZE_PATTERN);
const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
};

/** `64k`, `1m`, `1g` (powers of 1024) in bytes; as in nginx, a bare number is bytes. */
export function parseSize(input: unknown): Parsed<number> {
  const parts =
    typeof input === "string" || typeof input === "number" ? SIZE.exec(`${input}`) : null;
  if (parts === null) return bad(`${quote(input)} is no size: write 512, 64k, 1m or 1g`);
  const bytes = Number(parts[1]) * (FACTORS[(parts[2] ?? "").toLowerCase()] ?? 1);
  return Number.isSafeInteger(bytes) ? good(bytes) : bad(`${quote(input)} is too large`);
}
