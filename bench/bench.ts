/**
 * What a request costs, by Understudy and by what one would pick instead: `npm run bench`, with
 * `--quick`, `--only get-32,memory`, `--peers nginx,understudy`, `--json`, `--report`.
 */
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { hasProgram } from "./rig/has-program.ts";
import { machineLine } from "./rig/machine.ts";
import { type Options, pickNamed, readOptions } from "./rig/options.ts";
import { QUICK_NOTE, writeSection } from "./rig/readme.ts";
import { CASES } from "./steady/cases.ts";
import { runSteady, type SteadyPlan } from "./steady/run-steady.ts";
import type { SteadyResult } from "./steady/steady-result.ts";
import { steadyTables } from "./steady/steady-tables.ts";

/** Under three minutes in all: to see that everything works, not for figures to quote. */
const QUICK = {
  rounds: {
    withGoal: { count: 1, own: 1, abreast: 1, seconds: 1 },
    others: { count: 1, own: 0, abreast: 3, seconds: 1 },
    crossCheck: { count: 1, own: 0, abreast: 3, seconds: 1 },
  },
  warmUpSeconds: 2,
  soakSeconds: 1,
  settleMs: 500,
};
const FULL = {
  rounds: {
    withGoal: { count: 9, own: 6, abreast: 1, seconds: 1 },
    others: { count: 9, own: 0, abreast: 1, seconds: 1 },
    crossCheck: { count: 3, own: 0, abreast: 3, seconds: 1 },
  },
  warmUpSeconds: 5,
  soakSeconds: 60,
  settleMs: 3_000,
};

const options = readOptions(process.argv.slice(2));
const plan = planOf(options);
leaveProxyCore();
const wrk = { name: "wrk", debianPackage: "wrk", isThere: hasProgram("wrk") };
const cast = castOf(options.peers, [wrk]);
if (tellMissing(cast)) process.exitCode = 1;

if (wrk.isThere) {
  const result = await runSteady(cast, plan, (line) => console.error(line));
  if (tunnelsSuffered(result)) process.exitCode = 1;
  const text = `${machineLine(result.machine)}\n\n${steadyTables(result)}`;
  console.log(
    options.json ? JSON.stringify(result, undefined, 2) : `${text}\n\n${result.seconds} s`,
  );
  if (options.report) writeSection("steady", options.quick ? `${QUICK_NOTE}\n\n${text}` : text);
}

function planOf({ quick, only }: Options): SteadyPlan {
  const MEMORY = "memory";
  const TUNNELS = "tunnels";
  const names = [...CASES.map(({ name }) => name), MEMORY, TUNNELS];
  const picked = pickNamed(names, only, (name) => name);
  const cases = CASES.filter(({ name }) => picked.includes(name));
  const common = CASES.find(({ name }) => name === "get-32");
  if (common === undefined) throw new Error("there is no case get-32");
  return {
    cases,
    common,
    crossCheck: cases.includes(common),
    ...(quick ? QUICK : FULL),
    idleClients: picked.includes(MEMORY) ? (quick ? 2_000 : 10_000) : 0,
    idleTunnels: picked.includes(TUNNELS) ? (quick ? 1_000 : 10_000) : 0,
  };
}

/** A tunnel lost, or left behind, is a bug on whatever machine. */
function tunnelsSuffered({ cases, tunnels }: SteadyResult): boolean {
  const own = tunnels.find(({ peer }) => peer === "understudy")?.memory;
  const rounds = cases
    .filter((result) => result.case.messageBytes > 0)
    .flatMap(({ peers }) => peers.find(({ peer }) => peer === "understudy")?.rounds ?? []);
  return (own?.lost ?? 0) + (own?.left ?? 0) > 0 || rounds.some(({ failed }) => failed > 0);
}
