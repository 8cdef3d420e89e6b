/**
 * What a second worker costs, and whether connections spread: `npm run bench:workers`. The gateways,
 * one with one worker and one with two, have the same core and take turns of a second.
 */
import { join } from "node:path";
import { statusView } from "../src/control/api-schema.ts";
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { hasProgram } from "./rig/has-program.ts";
import { machineLine, describeMachine } from "./rig/machine.ts";
import { type Peer, startPeer } from "./rig/peer.ts";
import { type Apps, startApps, Workspace } from "./rig/stage.ts";
import { median, spread } from "./rig/statistics.ts";
import { type Case, CASES } from "./steady/cases.ts";
import { measure } from "./steady/measure.ts";
import { runWrk } from "./steady/wrk.ts";

const PAIRS = 15;
/** Each process compiles for itself, so that two take twice as long until they are warm. */
const WARM_UP_PAIRS = 8;
const SECONDS = 1;
/** Late in a round: what workers report is up to half a second old. */
const LOOK_MS = 850;
/** What the second worker may cost more. */
const LIMIT = 1.1;

leaveProxyCore();
const wrk = { name: "wrk", debianPackage: "wrk", isThere: hasProgram("wrk") };
const cast = castOf(["understudy"], [wrk]);
if (tellMissing(cast)) process.exitCode = 1;
const description = cast.present[0]?.description;
const work = CASES.find(({ name }) => name === "get-32");
if (description !== undefined && work !== undefined && wrk.isThere) {
  using workspace = new Workspace();
  await using apps = await startApps(join(workspace.folder, "apps"));
  const start = (workers: number): Promise<Peer> =>
    startPeer(description, {
      servers: apps.ports,
      folder: join(workspace.folder, `with-${workers}`),
      workers,
    });
  await using one = await start(1);
  await using two = await start(2);
  await compare(one, two, apps, { ...work, connections: 64 });
}

async function compare(one: Peer, two: Peer, apps: Apps, work: Case): Promise<void> {
  const ratios: number[] = [];
  const shares: number[] = [];
  for (let pair = 1 - WARM_UP_PAIRS; pair <= PAIRS; pair++) {
    const alone = await measure(one, apps, () => runWrk(one.port, work, SECONDS));
    const [both, share] = await Promise.all([
      measure(two, apps, () => runWrk(two.port, work, SECONDS)),
      busiestShare(two),
    ]);
    if (pair <= 0) continue;
    ratios.push(both.cpuUs / alone.cpuUs);
    shares.push(share);
    console.error(`pair ${pair}: ${alone.cpuUs.toFixed(1)} us, ${both.cpuUs.toFixed(1)} us`);
  }
  const ratio = median(ratios);
  console.log(machineLine(describeMachine(cast)));
  console.log(
    `A request by two workers costs ${ratio.toFixed(2)} times what it costs by one ` +
      `(spread ${(spread(ratios) * 100).toFixed(0)} %, limit ${LIMIT})` +
      `${ratio > LIMIT ? ": ABOVE THE LIMIT" : ""}.`,
  );
  console.log(
    `Of ${work.connections} connections the busier worker had ${(median(shares) * 100).toFixed(0)} % ` +
      `(at most ${(Math.max(...shares) * 100).toFixed(0)} %).`,
  );
}

/** The part of all connections that the worker with the most of them has. */
async function busiestShare({ adminPort }: Peer): Promise<number> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/status`);
  const { workers } = statusView.parse(await answer.json());
  const counts = workers.map(({ connections }) => connections);
  return Math.max(...counts) / counts.reduce((sum, count) => sum + count, 0);
}
