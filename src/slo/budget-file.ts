import { z } from "zod";
import { KeptFile } from "../control/kept-file.ts";
import type { KeptBudgets } from "./service-levels.ts";

const buckets = z.array(z.tuple([z.int(), z.int().min(0), z.int().min(0)]));
const kept = z.object({
  version: z.literal(1),
  budgets: z.record(z.string(), z.object({ minutes: buckets, hours: buckets })),
});

/** Beside the state file: `understudy.state.json` -> `understudy.slo.json`. */
export function budgetFileOf(stateFile: string | undefined): string | undefined {
  return stateFile?.replace(/(?:\.state)?\.json$/, ".slo.json");
}

/** Error budgets over a restart. */
export class BudgetFile extends KeptFile<KeptBudgets> {
  /** Without a path nothing is kept. */
  constructor(path: string | undefined, onTrouble: (reason: string) => void) {
    super({ path, parse: (json) => kept.parse(json), nothing: { budgets: {} }, onTrouble });
  }
}
