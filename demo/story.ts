import { setTimeout as after } from "node:timers/promises";
import { momentOf, STORY } from "./acts.ts";
import type { Act } from "./acts.ts";
import type { Ledger } from "./ledger.ts";
import { actReportOf, reportOf } from "./report.ts";
import type { ActReport, Played, Report } from "./report.ts";
import type { Rig } from "./rig.ts";
import { startClient } from "./strict-client.ts";
import type { Client } from "./strict-client.ts";

export interface StoryOptions {
  readonly ratePerSecond: number;
  readonly connections: number;
  readonly signal: AbortSignal;
  /** Told at the end of each act. */
  readonly onAct: (report: ActReport) => void;
}

/** The access log is flushed ten times a second. */
const LOG_LAG_MS = 150;

/** Plays all acts under load, stops the rig, and accounts for every request. */
export async function playStory(
  rig: Rig,
  ledger: Ledger,
  { ratePerSecond, connections, signal, onAct }: StoryOptions,
): Promise<Report> {
  const startedAt = now();
  const client = startClient({
    host: "127.0.0.1",
    port: rig.port,
    ratePerSecond,
    connections,
    postRatio: STORY[0]?.postRatio ?? 0,
    onResult: (result) => ledger.add(result),
  });
  try {
    const played: Played[] = [];
    for (const [n, act] of STORY.entries()) {
      const tookMs = await playAct(act, rig, signal);
      await preparePosts(STORY[n + 1]?.postRatio ?? 0, client, signal);
      // One act ends where the next begins, so that every request ends in one of them.
      const one = { act, from: played.at(-1)?.to ?? startedAt, to: now(), tookMs };
      played.push(one);
      ledger.note(rig.log.read());
      onAct(actReportOf(one, ledger));
    }
    const summary = await client.stop();
    await rig.stop();
    ledger.note(rig.log.read());
    return reportOf([...played.slice(0, -1), ...played.slice(-1).map(lasting)], summary, ledger);
  } finally {
    await client.stop();
  }
}

/** From the deed to the gateway's word of its effect, in milliseconds; undefined where none came. */
async function playAct(act: Act, rig: Rig, signal: AbortSignal): Promise<number | undefined> {
  const moment = momentOf(rig, act, signal);
  const deedAt = now();
  await act.play(rig.apps.blue);
  const toldAt = await moment;
  await after(act.thenMs + LOG_LAG_MS, undefined, { signal });
  return toldAt === undefined ? undefined : toldAt - deedAt;
}

/** Where the next act has no POSTs, those that are due must have ended before it begins. */
async function preparePosts(ratio: number, client: Client, signal: AbortSignal): Promise<void> {
  client.setPostRatio(ratio);
  if (ratio === 0) await untilNoPost(client, signal);
}

/** The last act has no end: it has all that ended after it began. */
function lasting(played: Played): Played {
  return { ...played, to: now() };
}

async function untilNoPost(client: Client, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { byMethod, unsent } = client.summary();
    const { issued, ok, failed } = byMethod.POST;
    if (issued === ok + failed && unsent === 0) return;
    await after(5, undefined, { signal });
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
