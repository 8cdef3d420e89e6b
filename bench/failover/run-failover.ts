import { join } from "node:path";
import type { Cast } from "../rig/cast.ts";
import { describeMachine } from "../rig/machine.ts";
import type { PeerDescription } from "../rig/peer-description.ts";
import { Workspace } from "../rig/stage.ts";
import { accountOf } from "./account.ts";
import type { FailoverResult, PeerResult, ScenarioResult } from "./failover-result.ts";
import { type Pressure, Rehearsed } from "./play.ts";
import type { Played } from "./played.ts";
import { brokenPromises } from "./promises.ts";
import type { Scenario } from "./scenario.ts";
import { seriesOf } from "./series.ts";

export interface FailoverPlan {
  readonly scenarios: readonly Scenario[];
  readonly pressure: Pressure;
  /** All peers play a scenario at the same time; else one after the other. */
  readonly together: boolean;
}

export async function runFailover(
  cast: Cast,
  plan: FailoverPlan,
  tell: (line: string) => void,
): Promise<FailoverResult> {
  const began = performance.now();
  const scenarios: ScenarioResult[] = [];
  const broken: string[] = [];
  for (const scenario of plan.scenarios) {
    tell(`${scenario.id}: ${scenario.title}`);
    const descriptions = cast.present.map(({ description }) => description);
    const played = await playAll(scenario, descriptions, plan);
    broken.push(...played.filter(({ peer }) => peer === "understudy").flatMap(brokenIn));
    const { id, title, seconds } = scenario;
    const peers = descriptions.map((one) => resultOf(scenario, one, played));
    scenarios.push({ id, title, durationMs: seconds * 1e3, peers });
  }
  const seconds = Math.round((performance.now() - began) / 1e3);
  return { machine: describeMachine(cast), missing: cast.missing, seconds, scenarios, broken };
}

/** By all peers that can, together or in turns. */
async function playAll(
  scenario: Scenario,
  descriptions: readonly PeerDescription[],
  { pressure, together }: FailoverPlan,
): Promise<readonly Played[]> {
  const able = descriptions.filter((one) => whyNot(scenario, one) === undefined);
  if (together) return await playTogether(scenario, able, pressure);
  const played: Played[] = [];
  for (const one of able) played.push(...(await playTogether(scenario, [one], pressure)));
  return played;
}

/** Why a peer cannot play a scenario; undefined where it can. */
function whyNot({ needs }: Pick<Scenario, "needs">, peer: PeerDescription): string | undefined {
  const ability = needs === undefined ? undefined : peer[needs];
  return ability?.by === "nothing" ? ability.why : undefined;
}

/** Nobody plays before all have started. */
async function playTogether(
  scenario: Scenario,
  descriptions: readonly PeerDescription[],
  pressure: Pressure,
): Promise<readonly Played[]> {
  using workspace = new Workspace();
  await using running = new AsyncDisposableStack();
  const rehearsed: Rehearsed[] = [];
  for (const description of descriptions) {
    const folder = join(workspace.folder, description.name);
    rehearsed.push(running.use(await Rehearsed.start(scenario, description, folder)));
  }
  return await Promise.all(rehearsed.map((one) => one.play(pressure)));
}

function brokenIn(played: Played): readonly string[] {
  return brokenPromises(played).map((sentence) => `${played.scenario.id}: ${sentence}`);
}

function resultOf(
  scenario: Scenario,
  description: PeerDescription,
  all: readonly Played[],
): PeerResult {
  const { name } = description;
  const played = all.find(({ peer }) => peer === name);
  if (played === undefined) {
    return { peer: name, played: false, why: whyNot(scenario, description) ?? "not played" };
  }
  const { peer, autocannon, tunnelsAlive } = played;
  const [account, series] = [accountOf(played), seriesOf(played)];
  return { peer, played: true, account, autocannon, tunnelsAlive, series };
}
