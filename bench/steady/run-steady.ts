import { join } from "node:path";
import type { Cast } from "../rig/cast.ts";
import { describeMachine } from "../rig/machine.ts";
import { raiseOpenFiles } from "../rig/open-files.ts";
import { type Apps, startApps, Workspace } from "../rig/stage.ts";
import type { Rounds } from "./bouts.ts";
import type { Case } from "./cases.ts";
import { byAutocannon, Field } from "./field.ts";
import { possibleClients } from "./idle-clients.ts";
import { measureMemory } from "./memory.ts";
import type { SteadyResult } from "./steady-result.ts";
import { filesFor, measureTunnelMemory, possibleTunnels } from "./tunnel-memory.ts";
import { runWrk } from "./wrk.ts";

export interface SteadyPlan {
  readonly cases: readonly Case[];
  readonly rounds: {
    /** Of cases that have a goal. */
    readonly withGoal: Rounds;
    readonly others: Rounds;
    readonly crossCheck: Rounds;
  };
  /** Before the first round of a peer, so that code is compiled and connections stand. */
  readonly warmUpSeconds: number;
  /** The work that warms up, soaks and is measured by both load generators. */
  readonly common: Case;
  readonly crossCheck: boolean;
  /** Idle keep-alive clients to measure memory with; 0 = memory is not measured. */
  readonly idleClients: number;
  /** Idle tunnels to measure memory with; 0 = that is not measured. */
  readonly idleTunnels: number;
  readonly soakSeconds: number;
  /** For buffers to be given back and garbage to be collected, in milliseconds. */
  readonly settleMs: number;
}

type Tell = (line: string) => void;

export async function runSteady(cast: Cast, plan: SteadyPlan, tell: Tell): Promise<SteadyResult> {
  const began = performance.now();
  raiseOpenFiles(filesFor(plan.idleTunnels));
  using workspace = new Workspace();
  await using apps = await startApps(workspace.folder);
  const played = await runCases(cast, plan, { apps, folder: workspace.folder, tell });
  const memory = await runMemory(cast, plan, { apps, folder: workspace.folder, tell });
  const tunnels = await runTunnelMemory(cast, plan, { apps, folder: workspace.folder, tell });
  return {
    machine: describeMachine(cast),
    missing: cast.missing,
    seconds: Math.round((performance.now() - began) / 1e3),
    ...played,
    memory,
    tunnels,
  };
}

interface Surroundings {
  readonly apps: Apps;
  readonly folder: string;
  readonly tell: Tell;
}

async function runCases(cast: Cast, plan: SteadyPlan, { apps, folder, tell }: Surroundings) {
  const { cases, rounds, common, crossCheck } = plan;
  if (cases.length === 0) return { cases: [], crossCheck: undefined };
  await using field = await Field.start(cast.present, apps, folder, (port) =>
    runWrk(port, common, plan.warmUpSeconds),
  );
  const results = [];
  for (const work of cases) {
    tell(`${work.name}: ${work.title}`);
    const { withGoal, others } = rounds;
    results.push(await field.play(work, work.goal === undefined ? others : withGoal));
  }
  if (!crossCheck) return { cases: results, crossCheck: undefined };
  tell(`${common.name} by autocannon`);
  return { cases: results, crossCheck: await field.play(common, rounds.crossCheck, byAutocannon) };
}

async function runMemory(cast: Cast, plan: SteadyPlan, { apps, folder, tell }: Surroundings) {
  const clients = possibleClients(plan.idleClients);
  const results = [];
  for (const { description } of plan.idleClients === 0 ? [] : cast.present) {
    tell(`memory of ${description.name}`);
    const memory = await measureMemory(
      description,
      apps,
      join(folder, `${description.name}-memory`),
      {
        clients,
        soak: plan.common,
        soakSeconds: plan.soakSeconds,
        settleMs: plan.settleMs,
      },
    );
    results.push({ peer: description.name, memory });
  }
  return results;
}

async function runTunnelMemory(cast: Cast, plan: SteadyPlan, { apps, folder, tell }: Surroundings) {
  const tunnels = possibleTunnels(plan.idleTunnels);
  if (tunnels < plan.idleTunnels)
    tell(`the limit of open files leaves room for ${tunnels} tunnels of ${plan.idleTunnels}`);
  const results = [];
  for (const { description } of plan.idleTunnels === 0 ? [] : cast.present) {
    if (!description.upgrades) continue;
    const { name } = description;
    tell(`idle tunnels of ${name}`);
    const ownFolder = join(folder, `${name}-tunnels`);
    const settings = { tunnels, settleMs: plan.settleMs };
    const memory = await measureTunnelMemory(description, apps, ownFolder, settings);
    results.push({ peer: name, memory });
  }
  return results;
}
