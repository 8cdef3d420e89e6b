import { z } from "zod";
import type { PoolRule } from "./config.ts";
import { bad, good, type Parsed, quote } from "./parsed.ts";
import { name, object, text, word } from "./schema-parts.ts";

const LARGEST = 1_000_000;
const WEIGHT = `a number from 0 to ${LARGEST}`;

const weight = z
  .number({ error: (issue) => `${quote(issue.input)} is no weight: ${WEIGHT}` })
  .min(0, { error: `is below 0: ${WEIGHT}` })
  .max(LARGEST, { error: `is too large: ${WEIGHT}` });

export const split = z.record(name, weight);

const part = word(parsePart, {
  id: "part of clients",
  type: "string",
  pattern: String.raw`^\d+(\.\d+)?%$`,
  description: "More than 0% and at most 100%.",
  examples: ["5%", "0.5%"],
});

/** Which requests go to another pool than the active one; the first that fits counts. */
export const rule = object({
  header: text.optional().describe("Name of a request's header."),
  cookie: text.optional().describe("Name of a cookie."),
  clients: part.optional().describe("This part of all clients, always the same ones."),
  value: text.optional().describe("What the header or cookie must be. Default: anything."),
  pool: text.describe("Where these requests go first."),
}).transform(({ header, cookie, clients, value, pool }, context): PoolRule => {
  const written = [header, cookie, clients].filter((one) => one !== undefined);
  if (written.length === 1) {
    if (header !== undefined) return { kind: "header", name: header.toLowerCase(), value, pool };
    if (cookie !== undefined) return { kind: "cookie", name: cookie, value, pool };
    if (clients !== undefined) return { kind: "clients", percent: clients, pool };
  }
  const message = "needs one of `header`, `cookie` and `clients`";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

function parsePart(input: unknown): Parsed<number> {
  const found = typeof input === "string" ? /^(\d+(?:\.\d+)?)%$/.exec(input)?.[1] : undefined;
  const percent = Number(found);
  if (percent > 0 && percent <= 100) return good(percent);
  return bad(`${quote(input)} is no part of all clients: write 5% or 0.5%`);
}
