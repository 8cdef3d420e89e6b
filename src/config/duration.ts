import { bad, good, quote, type Parsed } from "./parsed.ts";

export const DURATION_PATTERN =
  "^(?=\\d)(?:(\\d+)d)?(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?(?:(\\d+)ms)?$";

const DURATION = new RegExp(DURATION_PATTERN);
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1] as const;
/** Timers hold 31 bits of milliseconds. */
const LONGEST_MS = 24 * 86_400_000;

/** `250ms`, `3s`, `1m30s`, `1h`, `1d` in milliseconds. A number needs its unit, but for 0. */
export function parseDuration(input: unknown): Parsed<number> {
  if (input === 0 || input === "0") return good(0);
  if (typeof input === "number" || (typeof input === "string" && /^\d+$/.test(input))) {
    return bad(`a duration needs a unit: write ${input}s or ${input}ms`);
  }
  const parts = typeof input === "string" ? DURATION.exec(input) : null;
  if (parts === null) return bad(`${quote(input)} is no duration: write 250ms, 3s, 1m30s or 1h`);
  const ms = UNITS_MS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
  return ms > LONGEST_MS ? bad(`${quote(input)} is too long: at most 24d`) : good(ms);
}
