import type { ServiceLevel } from "../slo/service-level.ts";
import { bad, good, quote, type Parsed } from "./parsed.ts";
import { object, someDuration, word } from "./schema-parts.ts";

const objective = word(parseObjective, {
  id: "objective",
  type: ["string", "integer"],
  description: "Percent below 100: `99.9`, `99.9%`.",
  examples: ["99.9", "99.95%"],
});

/** What a group promises its clients. */
export const slo = object({
  availability: objective
    .optional()
    .describe("Percent of the requests that are not answered by a 5xx."),
  latency: object({
    p: objective.describe("Percent of the requests that have to be as fast."),
    under: someDuration.describe("The longest that they take, from the first byte to the last."),
  })
    .optional()
    .describe("How fast requests are answered; WebSockets and event streams do not count."),
})
  .refine(({ availability, latency }) => availability !== undefined || latency !== undefined, {
    error: "promises nothing: write `availability`, `latency`, or both",
  })
  .transform(({ availability, latency }): ServiceLevel => ({
    availability,
    latency: latency && { part: latency.p, underMs: latency.under },
  }));

function parseObjective(input: unknown): Parsed<number> {
  const [, number] = /^(\d{1,2}(?:\.\d+)?) ?%?$/.exec(String(input)) ?? [];
  const percent = Number(number);
  // Without the division's error: 99.9 is 0.999.
  if (number !== undefined && percent > 0) return good(Number((percent / 100).toPrecision(12)));
  return bad(`${quote(input)} is no percentage below 100: write 99.9`);
}
