import { z } from "zod";
import type { SavedState } from "./state-store.ts";

/** Of the file's form; a gateway reads its own alone. */
export const STATE_VERSION = 1;

const moment = z.number();
const weights = z.record(z.string(), z.number().min(0));

const savedGroup = z.object({
  primary: z.object({ name: z.string(), configured: z.string() }).optional(),
  active: z.string().optional(),
  admin: z.record(z.string(), z.enum(["ready", "drain", "maint"])).optional(),
  door: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("held"), since: moment, until: moment }),
      z.object({ kind: z.literal("maintenance"), since: moment }),
    ])
    .optional(),
  split: weights.optional(),
  awake: z.array(z.string()).optional(),
  lastSwitch: z.object({ from: z.string(), to: z.string(), at: moment, by: z.string() }).optional(),
});

const version = z.looseObject({ version: z.number() });

const stateFile = z.object({
  groups: z.record(z.string(), savedGroup),
  defined: z.record(z.string(), z.unknown()),
  deleted: z.array(z.string()),
});

/** The state in a file's text, or why it is none. */
export function parseState(
  text: string,
): { ok: true; saved: SavedState } | { ok: false; reason: string } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  const told = version.safeParse(data);
  if (!told.success) return { ok: false, reason: "it has no version" };
  if (told.data.version !== STATE_VERSION) {
    const reason = `it is of version ${told.data.version}, this gateway reads ${STATE_VERSION}`;
    return { ok: false, reason };
  }
  const parsed = stateFile.safeParse(data);
  if (parsed.success) return { ok: true, saved: parsed.data };
  return { ok: false, reason: parsed.error.issues.map(describeIssue).join("; ") };
}

/** What a file of this state says. */
export function stateText(saved: SavedState): string {
  return `${JSON.stringify({ version: STATE_VERSION, ...saved }, undefined, 2)}\n`;
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.map(String).join(".")}: ${message}`;
}
