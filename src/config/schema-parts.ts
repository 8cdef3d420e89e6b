import { z } from "zod";
import { parseDuration, DURATION_PATTERN } from "./duration.ts";
import { LATER_KEYS } from "./later-keys.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { parseSize, SIZE_PATTERN } from "./size.ts";
import { didYouMean } from "./suggest.ts";

/** What an editor is told about a word: JSON Schema, `id` becoming its name among the definitions. */
interface WordMeta {
  readonly id: string;
  readonly type: "string" | readonly ["string", "integer"];
  readonly pattern?: string;
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
}

/** A single value with a grammar of its own. */
export function word<T>(parse: (input: unknown) => Parsed<T>, meta: WordMeta) {
  return z
    .unknown()
    .transform((input, context): T => {
      const parsed: Parsed<T> =
        input === undefined ? bad(`is missing, for example ${meta.examples[0]}`) : parse(input);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: "custom", message: parsed.message, input });
      return z.NEVER;
    })
    .meta({ ...meta });
}

/** A map whose unknown keys are mistakes: one line of the issue's message for each of them. */
export function object<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => unknownKey(key, known)).join("\n")
        : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  if (key === "sticky" && known.includes("affinity")) return "unknown key: it is called affinity";
  if (LATER_KEYS.includes(key)) return "not supported yet: a later version will know this key";
  const others = known.length === 0 ? ", none is known here" : `, known here: ${known.join(", ")}`;
  return `unknown key${didYouMean(key, known) || others}`;
}

export function choice<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: (issue) => notOneOf(issue.input, values) });
}

function notOneOf(input: unknown, values: readonly string[]): string {
  const hint = typeof input === "string" ? didYouMean(input, values) : "";
  return `${quote(input)} is none of ${values.join(", ")}${hint}`;
}

/** More than anybody counts, and few enough for every sum of them to be exact. */
const MOST = 1_000_000_000;

/** A whole number within bounds. */
export function count(least: number, most: number = MOST) {
  const range = most === MOST ? `of at least ${least}` : `from ${least} to ${most}`;
  const error = (issue: { readonly input?: unknown }) =>
    `${quote(issue.input)} is no whole number ${range}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** Text in any form. */
export const text = z
  .string({ error: (issue) => `${quote(issue.input)} is no text: put it in quotes` })
  .min(1, { error: "is empty" });

export const duration = word(parseDuration, {
  id: "duration",
  type: ["string", "integer"],
  pattern: DURATION_PATTERN,
  description: "Numbers with units, the largest first: ms, s, m, h, d. 0 needs none. At most 24d.",
  examples: ["250ms", "3s", "1m30s"],
});

/** A duration of at least a millisecond. */
export const someDuration = word(
  (input): Parsed<number> => {
    const parsed = parseDuration(input);
    return parsed.ok && parsed.value === 0 ? bad("must be longer than 0") : parsed;
  },
  {
    id: "positive-duration",
    type: "string",
    pattern: DURATION_PATTERN,
    description: "A duration longer than 0.",
    examples: ["250ms", "3s", "1m30s"],
  },
);

export const size = word(parseSize, {
  id: "size",
  type: ["string", "integer"],
  pattern: SIZE_PATTERN,
  description: "Bytes, or a number with a unit: b, k, m, g (powers of 1024).",
  examples: ["64k", "1m", "1g"],
});

/** A size of at least a byte. */
export const someSize = word(
  (input): Parsed<number> => {
    const parsed = parseSize(input);
    return parsed.ok && parsed.value === 0 ? bad("must be larger than 0") : parsed;
  },
  {
    id: "positive-size",
    type: ["string", "integer"],
    pattern: SIZE_PATTERN,
    description: "A size larger than 0.",
    examples: ["8k", "16k", "64k"],
  },
);

/** A part of a whole, from 0 to 1. */
export const part = word(parsePart, {
  id: "part",
  type: ["string", "integer"],
  description: "Percent: `2%`, `0.5%`, or the number alone.",
  examples: ["2%", "0.5%"],
});

function parsePart(input: unknown): Parsed<number> {
  const [, number] = /^(\d{1,3}(?:\.\d+)?) ?%?$/.exec(String(input)) ?? [];
  const percent = Number(number);
  if (number !== undefined && percent <= 100) return good(percent / 100);
  return bad(`${quote(input)} is no part of 100: write 2%`);
}

/** Groups and pools: they appear in paths, metrics and addresses, so they stay simple words. */
export const name = z.string().regex(/^[A-Za-z][\w-]{0,62}$/, {
  error: (issue) =>
    `${quote(issue.input)} is no name: a letter, then at most 62 letters, digits, _ or -`,
});
