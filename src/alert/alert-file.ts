import { z } from "zod";
import { KeptFile } from "../control/kept-file.ts";
import { RULES, type Message } from "./alert.ts";
import type { KeptBook } from "./book.ts";

/** What outlives a restart. */
export interface KeptAlerts {
  readonly book: KeptBook;
  /** What waits to be sent, by channelKey(). */
  readonly waiting: Readonly<Record<string, readonly Message[]>>;
}

const NOTHING: KeptAlerts = { book: {}, waiting: {} };

const rule = z.enum(Object.keys(RULES).filter(isRule));
const level = z.enum(["critical", "warning", "info", "good"]);
const facts = z.array(z.object({ label: z.string(), value: z.string() }));
/** Missing in JSON, and undefined here. */
const group = z
  .string()
  .optional()
  .transform((name) => name);
const message = z.object({
  id: z.string(),
  at: z.number(),
  rule: z.union([rule, z.literal("test")]),
  group,
  state: z.enum(["firing", "resolved", "note"]),
  level,
  title: z.string(),
  facts,
});
const signal = z.object({
  rule,
  key: z.string(),
  group,
  kind: z.enum(["raise", "clear", "note"]),
  level,
  title: z.string(),
  facts,
});
const entry = z.object({
  signal,
  isActive: z.boolean(),
  activeSince: z.number(),
  isTold: z.boolean(),
  isChanged: z.boolean().default(false),
  raises: z.number(),
  clears: z.number(),
  since: z.number(),
  quietUntil: z.number(),
});
/** The same as it is read. */
export const keptAlerts = z.object({
  book: z.record(z.string(), entry),
  waiting: z.record(z.string(), z.array(message)),
});
const kept = keptAlerts.extend({ version: z.literal(1) });

/** Beside the state file: `understudy.state.json` -> `understudy.alerts.json`. */
export function alertFileOf(stateFile: string | undefined): string | undefined {
  return stateFile?.replace(/(?:\.state)?\.json$/, ".alerts.json");
}

/** Alerts over a restart: what was told already, and what is still to be sent. */
export class AlertFile extends KeptFile<KeptAlerts> {
  /** Without a path nothing is kept. */
  constructor(path: string | undefined, onTrouble: (reason: string) => void) {
    super({ path, parse: (json) => kept.parse(json), nothing: NOTHING, onTrouble });
  }
}

function isRule(name: string): name is keyof typeof RULES {
  return name in RULES;
}
