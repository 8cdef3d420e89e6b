import { readFileSync } from "node:fs";
import { z } from "zod";
import { removeLeftovers, writeDurably } from "../control/write-durably.ts";
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
const kept = z.object({
  version: z.literal(1),
  book: z.record(z.string(), entry),
  waiting: z.record(z.string(), z.array(message)),
});

/** Beside the state file: `understudy.state.json` -> `understudy.alerts.json`. */
export function alertFileOf(stateFile: string | undefined): string | undefined {
  return stateFile?.replace(/(?:\.state)?\.json$/, ".alerts.json");
}

/** Alerts over a restart: what was told already, and what is still to be sent. */
export class AlertFile {
  readonly #path: string | undefined;
  readonly #onTrouble: (reason: string) => void;
  #next: KeptAlerts | undefined;
  #writing: Promise<void> | undefined;
  #isInTrouble = false;

  /** Without a path nothing is kept. */
  constructor(path: string | undefined, onTrouble: (reason: string) => void) {
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  /** Nothing where there is no file, or none that can be used: the next save replaces it. */
  load(): KeptAlerts {
    if (this.#path === undefined) return NOTHING;
    removeLeftovers(this.#path);
    try {
      return kept.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing) this.#onTrouble(`${this.#path} cannot be used: ${String(error)}`);
      return NOTHING;
    }
  }

  save(alerts: KeptAlerts): void {
    if (this.#path === undefined) return;
    this.#next = alerts;
    this.#writing ??= this.#write(this.#path);
  }

  /** Resolves once the last is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(path: string): Promise<void> {
    while (this.#next !== undefined) {
      const text = JSON.stringify({ version: 1, ...this.#next });
      this.#next = undefined;
      try {
        await writeDurably(path, text);
        this.#isInTrouble = false;
      } catch (error) {
        if (!this.#isInTrouble) this.#onTrouble(`${path} cannot be written: ${String(error)}`);
        this.#isInTrouble = true;
      }
    }
    this.#writing = undefined;
  }
}

function isRule(name: string): name is keyof typeof RULES {
  return name in RULES;
}
