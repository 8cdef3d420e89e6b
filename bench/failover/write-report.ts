import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineLine } from "../rig/machine.ts";
import { QUICK_NOTE, writeSection } from "../rig/readme.ts";
import { ROOT } from "../rig/root.ts";
import { chartOf } from "./chart.ts";
import type { FailoverResult } from "./failover-result.ts";
import { failoverTables, failoverVerdict } from "./failover-tables.ts";

/** The tables into bench/README.md, a picture for each scenario into bench/results/. */
export function writeReport(result: FailoverResult, isQuick: boolean): void {
  const folder = join(ROOT, "bench/results");
  mkdirSync(folder, { recursive: true });
  for (const scenario of result.scenarios)
    writeFileSync(join(folder, `${scenario.id}.svg`), chartOf(scenario));
  const tables = failoverTables(
    result,
    ({ id, title }) => `![${id}: latency over time, ${title}](results/${id}.svg)`,
  );
  const parts = [machineLine(result.machine), failoverVerdict(result), tables];
  writeSection("failover", [...(isQuick ? [QUICK_NOTE] : []), ...parts].join("\n\n"));
}
