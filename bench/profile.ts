/**
 * Where the time of a request goes: `npm run bench:profile`, with `--only headers` for another case
 * of bench/steady/cases.ts than the small GET, `--quick`, `--json`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readProfile } from "./profile/cpu-profile.ts";
import { perfParts } from "./profile/perf.ts";
import { profileTables } from "./profile/profile-tables.ts";
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { hasProgram } from "./rig/has-program.ts";
import { pickNamed, readOptions } from "./rig/options.ts";
import { startPeer } from "./rig/peer.ts";
import { startApps, Workspace } from "./rig/stage.ts";
import { CASES } from "./steady/cases.ts";
import { generatorOf } from "./steady/field.ts";
import { measure } from "./steady/measure.ts";

const { quick, only, json } = readOptions(process.argv.slice(2));
const [warmUpSeconds, seconds] = quick ? [2, 3] : [5, 15];
const names = only.length === 0 ? ["get-32"] : only;
const cases = pickNamed(CASES, names, ({ name }) => name);
const wrk = { name: "wrk", debianPackage: "wrk", isThere: hasProgram("wrk") };
const cast = castOf(["understudy"], [wrk]);
if (tellMissing(cast)) process.exitCode = 1;

leaveProxyCore();
for (const work of wrk.isThere ? cases : []) {
  const result = await profile(work);
  console.log(json ? JSON.stringify(result) : `${profileTables(result)}\n`);
}

async function profile(work: (typeof CASES)[number]) {
  const [member] = cast.present;
  if (member === undefined) throw new Error("nobody to profile");
  using workspace = new Workspace();
  await using apps = await startApps(workspace.folder);
  const folder = join(workspace.folder, "proxy");
  const { args } = member.description;
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  const description = { ...member.description, args: [...flags, ...args] };
  // What is looked into is the process that serves.
  await using peer = await startPeer(description, { servers: apps.ports, folder, workers: 0 });
  const generate = generatorOf(work);
  await generate(peer.port, work, warmUpSeconds);

  const from = nowUs();
  const round = await measure(peer, apps, () => generate(peer.port, work, seconds));
  const to = nowUs();
  // Afterwards, so that the two profilers do not meet each other.
  const [parts] = await Promise.all([
    perfParts(peer.pid, seconds - 1, join(workspace.folder, "perf.data")),
    generate(peer.port, work, seconds),
  ]);
  await peer.stop();
  const written = readdirSync(folder).find((name) => name.endsWith(".cpuprofile"));
  if (written === undefined) throw new Error("node wrote no profile");
  const functions = readProfile(readFileSync(join(folder, written), "utf8"), from, to);
  const { requests, cpuUs, kernelShare } = round;
  return { title: work.title, requests, cpuUs, kernelShare, functions, parts };
}

/** By the clock that V8 stamps its samples with. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
