import { z } from "zod";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { choice, count, object, someDuration, text, word } from "./schema-parts.ts";

/** Statuses from the first to the last. */
interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** `Host` has a key of its own, the others belong to the connection. */
const OWN_FIELDS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

const probePath = word(parsePath, {
  id: "probe-path",
  type: "string",
  pattern: "^/",
  description: "A path, with a query where it needs one.",
  examples: ["/healthz", "/api/health?deep=1"],
});

const statusRange = word(parseStatusRange, {
  id: "status-range",
  type: ["string", "integer"],
  pattern: "^[1-5]\\d\\d(-[1-5]\\d\\d)?$",
  description: "A status, or a range of them.",
  examples: ["200-399", "204"],
});

const percent = word(parsePercent, {
  id: "percent",
  type: ["string", "integer"],
  pattern: "^\\d+(\\.\\d+)?%$|^0$",
  description: "Of a whole; 0 needs no sign.",
  examples: ["10%", "2.5%", "0"],
});

const fieldName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, {
    error: (issue) => `${quote(issue.input)} is no name of a header`,
  })
  .refine((name) => !OWN_FIELDS.has(name.toLowerCase()), {
    error: (issue) => `${quote(issue.input)} is not yours to set here`,
  });

const fieldValue = text.regex(/^[\t\x20-\x7e]+$/, {
  error: (issue) => `${quote(issue.input)} is no value of a header: one line of ASCII`,
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: "must be a text, a number, true, false or null",
});

const healthMap = object({
  kind: choice(["http", "tcp", "exec"])
    .prefault("http")
    .describe("`http` asks for `path`, `tcp` connects, `exec` runs `command`."),
  path: probePath.prefault("/").describe("What is asked for."),
  method: choice(["GET", "HEAD", "OPTIONS", "POST"])
    .prefault("GET")
    .describe("How it is asked for; always without a body."),
  host: fieldValue.optional().describe("The `Host` that is sent. Default: the server's own name."),
  headers: z.record(fieldName, fieldValue).prefault({}).describe("Sent with each probe."),
  status: z
    .union([statusRange.transform((only) => [only]), z.array(statusRange).min(1)], {
      error: "must be a status, a range like 200-399, or a list of them",
    })
    .prefault(["200-399"])
    .describe("What the answer's status must be. Redirects are not followed."),
  body: text.optional().describe("Text that must occur in the first 64k of the answer's body."),
  json: z
    .record(text, scalar)
    .prefault({})
    .describe("Values that the answer's body must have, by their path: `checks.db: up`."),
  release: text
    .meta({ type: ["string", "number"] })
    .optional()
    .describe("What the answer's `X-Release-Id` must be."),
  command: z
    .array(text)
    .min(1, { error: "needs a program" })
    .optional()
    .describe("A program and its arguments, without a shell; exit status 0 = passed."),
  interval: someDuration.prefault("2s").describe("From one probe to the next."),
  fast_interval: someDuration
    .optional()
    .describe("The same while a server is not plainly up. Default: a quarter, at least 250ms."),
  timeout: someDuration.prefault("1s").describe("What a probe may take."),
  rise: count(1, 1000).prefault(2).describe("Passes in a row that bring a server up."),
  fall: count(1, 1000).prefault(2).describe("Fails in a row that take it down."),
  jitter: percent.prefault("10%").describe("How much earlier or later a probe may come; to 50%."),
  initial: choice(["up", "probe"])
    .prefault("up")
    .describe("A new server serves at once (`up`) or once it has passed a `probe`."),
}).meta({ id: "health" });

const DEFAULTS = healthMap.parse({});

export const health = z.union(
  [z.literal("off"), probePath.transform((path) => ({ ...DEFAULTS, path })), healthMap],
  { error: "must be off, a path, or a map" },
);

function parsePath(input: unknown): Parsed<string> {
  if (typeof input === "string" && /^\/[\x21-\x7e]*$/.test(input)) return good(input);
  return bad(`${quote(input)} is no path: it begins with / and has no spaces`);
}

function parseStatusRange(input: unknown): Parsed<StatusRange> {
  const written = typeof input === "number" ? String(input) : input;
  const found = typeof written === "string" ? /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(written) : null;
  const from = Number(found?.[1]);
  const to = Number(found?.[2] ?? found?.[1]);
  if (found === null || to < from) {
    return bad(`${quote(input)} is no status from 100 to 599, nor a range like 200-399`);
  }
  return good({ from, to });
}

function parsePercent(input: unknown): Parsed<number> {
  if (input === 0 || input === "0") return good(0);
  const found = typeof input === "string" ? /^(\d+(?:\.\d+)?)%$/.exec(input)?.[1] : undefined;
  if (found === undefined || Number(found) > 50) {
    return bad(`${quote(input)} is no part from 0% to 50%, for example 10%`);
  }
  return good(Number(found) / 100);
}
