import type { AffinityConfig } from "./config.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { word } from "./schema-parts.ts";
import { didYouMean } from "./suggest.ts";

const KINDS = ["none", "ip", "header NAME"] as const;

export const affinity = word(parseAffinity, {
  id: "affinity",
  type: "string",
  pattern: "^(none|ip|header [\\w-]+)$",
  description: "`none`, `ip` or `header NAME`.",
  examples: ["none", "ip", "header X-Tenant"],
});

function parseAffinity(input: unknown): Parsed<AffinityConfig> {
  if (input === "none" || input === "ip") return good({ kind: input });
  const name = typeof input === "string" ? /^header +([\w-]+)$/.exec(input)?.[1] : undefined;
  if (name !== undefined) return good({ kind: "header", name: name.toLowerCase() });
  if (input === "header") return bad("needs the name of the header, for example header X-Tenant");
  const hint = typeof input === "string" ? didYouMean(input, KINDS) : "";
  return bad(`${quote(input)} is none of ${KINDS.join(", ")}${hint}`);
}
