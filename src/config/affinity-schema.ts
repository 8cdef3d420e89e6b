import { z } from "zod";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { object, text, word } from "./schema-parts.ts";
import { didYouMean } from "./suggest.ts";

type WrittenAffinity =
  | { readonly kind: "none" | "ip" | "socketio" }
  | { readonly kind: "header"; readonly name: string }
  | WrittenCookie;

interface WrittenCookie {
  readonly kind: "cookie";
  readonly name: string | undefined;
  readonly secret: string | undefined;
}

const KINDS = ["none", "cookie", "ip", "header NAME", "socketio"] as const;

/** Short enough to be typed, long enough not to be guessed. */
const SECRET_LENGTH = 16;

const short = word(parseShort, {
  id: "affinity",
  type: "string",
  pattern: "^(none|cookie|ip|header [\\w-]+|socketio)$",
  description: "`none`, `cookie`, `ip`, `header NAME` or `socketio`.",
  examples: ["none", "cookie", "ip", "header X-Tenant", "socketio"],
});

const cookie = object({
  kind: z.literal("cookie", { error: "must be cookie: only that has a map" }).describe("`cookie`."),
  name: z
    .string()
    .regex(/^[\w-]{1,64}$/, {
      error: (issue) => `${quote(issue.input)} is no name of a cookie: letters, digits, _ or -`,
    })
    .optional()
    .describe("Of the cookie. Default: `understudy_` and the group's name."),
  secret: text
    .min(SECRET_LENGTH, { error: `is too short: at least ${SECRET_LENGTH} characters` })
    .optional()
    .describe(
      "Signs it; of at least 16 characters. Default: one made at each start, so that cookies do not " +
        "outlive a restart.",
    ),
}).transform(({ kind, name, secret }): WrittenCookie => ({ kind, name, secret }));

export const affinity = z.union([short, cookie], {
  error: `must be one of ${KINDS.join(", ")}, or a map with \`kind: cookie\``,
});

function parseShort(input: unknown): Parsed<WrittenAffinity> {
  if (input === "none" || input === "ip" || input === "socketio") return good({ kind: input });
  if (input === "cookie") return good({ kind: input, name: undefined, secret: undefined });
  const name = typeof input === "string" ? /^header +([\w-]+)$/.exec(input)?.[1] : undefined;
  if (name !== undefined) return good({ kind: "header", name: name.toLowerCase() });
  if (input === "header") return bad("needs the name of the header, for example header X-Tenant");
  const hint = typeof input === "string" ? didYouMean(input, KINDS) : "";
  return bad(`${quote(input)} is none of ${KINDS.join(", ")}${hint}`);
}
