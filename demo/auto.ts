import { writeFileSync } from "node:fs";
import type { Excuse } from "./access-lines.ts";
import { Ledger } from "./ledger.ts";
import type { DemoOptions } from "./options.ts";
import { recordingOf } from "./recording.ts";
import type { Report } from "./report.ts";
import { actLine, summaryLines } from "./report-text.ts";
import type { Rig } from "./rig.ts";
import { playStory } from "./story.ts";

/** Plays the story by itself; gives the exit status: 0 only where all went as promised. */
export async function showStory(
  rig: Rig,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<number> {
  const { json, record, ratePerSecond = 250 } = options;
  const tell = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
  const ledger = new Ledger();
  const { blue, green } = rig.apps;
  tell(
    `gateway http://127.0.0.1:${rig.port} before blue :${blue.port} and green :${green.port}, ` +
      `${ratePerSecond} requests/s`,
  );
  const report = await playStory(rig, ledger, {
    ratePerSecond,
    connections: 64,
    signal,
    onAct: (act) => tell(actLine(act)),
  });
  tell(["", ...summaryLines(report, excusesOf(report)), `(${report.postsNote})`].join("\n"));
  for (const problem of report.problems) tell(`problem: ${problem}`);
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  if (record !== undefined)
    writeFileSync(record, recordingOf(report, ledger.entries, ratePerSecond));
  return report.problems.length === 0 ? 0 : 1;
}

function excusesOf({ unrepeatable }: Report): ReadonlyMap<Excuse, number> {
  return new Map(unrepeatable === 0 ? [] : [["POST already sent", unrepeatable]]);
}
