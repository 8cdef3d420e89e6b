import { z } from "zod";
import { bad, good, quote, type Parsed } from "../config/parsed.ts";
import { choice, duration, name, object, someDuration, word } from "../config/schema-parts.ts";

/** What the admin API takes as the bodies of orders. */

const flag = z.boolean().optional();
const force = flag.describe("Also where that hurts: the refusal says how.");
const wait = flag.describe("Answers only once nobody is left on what is taken out.");
const poolName = z.string().min(1, { error: "is empty" });

/** `1%`, `0.5%` as a part of 1. */
function parsePercent(input: unknown): Parsed<number> {
  const percent = typeof input === "string" ? /^(\d{1,3}(?:\.\d+)?)%$/.exec(input)?.[1] : undefined;
  const ratio = Number(percent) / 100;
  if (percent !== undefined && ratio <= 1) return good(ratio);
  return bad(`${quote(input)} is no part of all answers: write 1% or 0.5%`);
}

/** `2x`, `1.5x`. */
function parseMultiple(input: unknown): Parsed<number> {
  const times = typeof input === "string" ? /^(\d{1,4}(?:\.\d+)?)x$/.exec(input)?.[1] : undefined;
  if (times !== undefined && Number(times) > 0) return good(Number(times));
  return bad(`${quote(input)} is no multiple: write 2x or 1.5x`);
}

const percent = word(parsePercent, {
  id: "percent",
  type: "string",
  pattern: String.raw`^\d{1,3}(\.\d+)?%$`,
  description: "A part of all answers.",
  examples: ["1%", "0.5%"],
});

const multiple = word(parseMultiple, {
  id: "multiple",
  type: "string",
  pattern: String.raw`^\d{1,4}(\.\d+)?x$`,
  description: "So many times what it was before.",
  examples: ["2x", "1.5x"],
});

const guard = object({
  for: someDuration.describe("How long the new pool is watched."),
  max_errors: percent.optional().describe("Goes back where more of its answers fail."),
  max_p99: multiple
    .optional()
    .describe("Goes back where its p99 is more than so many times the old pool's."),
});

export const nothingOrder = object({});

export const switchOrder = object({
  to: poolName.describe("The pool that shall serve."),
  force,
  dry_run: flag.describe("Tells what would happen; nothing does."),
  if_active: poolName.optional().describe("Only where this pool serves now."),
  wait,
  guard: guard.optional().describe("Watches the new pool and goes back by itself."),
});

export const rollbackOrder = object({ force, wait });

export const holdOrder = object({
  max: someDuration.optional().describe("How long at most. Default: as the group is configured."),
});

export const maintenanceOrder = object({ on: z.boolean() });

export const splitOrder = object({
  split: z
    .record(name, z.number().min(0, { error: "must be at least 0" }))
    .nullable()
    .describe("Weights of new clients by pool; null = as configured."),
});

export const drillOrder = object({
  for: duration.prefault("10s").describe("How long the other pool serves."),
});

export const adminOrder = object({
  admin: choice(["ready", "drain", "maint"]).describe("What you want of it."),
  force,
  wait,
});

export const startOrder = object({ force });

export const createOrder = object({
  name: name.describe("Of the new group."),
  definition: z.unknown().describe("The group as it would stand in the file."),
});

export const changeOrder = object({
  definition: z
    .unknown()
    .describe("The group as it would stand in the file; it takes the place of the old one."),
});
