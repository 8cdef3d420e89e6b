import { z } from "zod";
import { compileTemplate, LOG_FORMATS, LOG_PRESETS } from "../observe/log-template.ts";
import type { AccessLogConfig } from "./config.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { path } from "./route-schema.ts";
import { object, part, text, word } from "./schema-parts.ts";
import { didYouMean } from "./suggest.ts";

const NAMES: readonly string[] = [...LOG_FORMATS, ...Object.keys(LOG_PRESETS)];
const NAMED = NAMES.map((name) => `\`${name}\``).join(", ");

const logFormat = word(parseLogFormat, {
  id: "log-format",
  type: "string",
  description: `${NAMED}, or a template with nginx's \`$variables\`.`,
  examples: ["json", "blue_green", "$remote_addr $status pool=$pool"],
});

const redact = object({
  query: z
    .array(text)
    .prefault([])
    .describe("Parameters of the query, in targets, `Referer` and `Location`; `*` = all."),
  headers: z
    .array(text.transform((name) => name.toLowerCase()))
    .prefault([])
    .describe("Header fields of requests and answers."),
});

/** Where exchanges are logged, and how; undefined = nowhere. */
export const accessLog = z.union(
  [
    z.literal("off").transform(() => undefined),
    logFormat.transform((format): AccessLogConfig => ({ file: "stdout", format })),
    object({
      file: text.prefault("stdout").describe("`stdout`, `stderr` or a path."),
      format: logFormat.prefault("json").describe("How a line looks."),
      skip: z
        .array(path)
        .optional()
        .describe(
          "Paths that are not logged, each with all below it: `[/healthz]`. What failed, or took a second attempt, is logged all the same.",
        ),
      sample: part
        .optional()
        .describe("The part that is logged; the same exceptions. Default: all."),
      redact: redact.optional().describe("Whose values the log shows as `***`."),
    }),
  ],
  { error: "must be off, a format, or a map with `file` and `format`" },
);

function parseLogFormat(input: unknown): Parsed<string> {
  if (LOG_FORMATS.some((name) => name === input)) return good(String(input));
  if (input === "combined" || input === "blue_green") return good(LOG_PRESETS[input]);
  if (typeof input !== "string" || !input.includes("$")) {
    const hint = typeof input === "string" ? didYouMean(input, NAMES) : "";
    return bad(`${quote(input)} is no format: ${NAMES.join(", ")} or a template${hint}`);
  }
  const template = compileTemplate(input);
  if (template.ok) return good(input);
  const known = template.known.map((variable) => `$${variable}`);
  const hint = didYouMean(template.unknown, known);
  return bad(`unknown variable ${template.unknown}${hint || `, known are ${known.join(", ")}`}`);
}
