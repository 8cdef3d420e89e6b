/**
 * What it costs to be told everything: `npm run bench:observing`. Gateways with one worker on the same core take
 * turns of a second: two that write a JSON log line, of which the second shows what is chance, one with alerts,
 * service levels and redaction besides, one with traces as well. The metrics of all are scraped every second.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { hasProgram } from "./rig/has-program.ts";
import { describeMachine, machineLine } from "./rig/machine.ts";
import type { PeerDescription } from "./rig/peer-description.ts";
import { type Peer, startPeer } from "./rig/peer.ts";
import { startApps, Workspace } from "./rig/stage.ts";
import { median, middleHalf } from "./rig/statistics.ts";
import { type Case, CASES } from "./steady/cases.ts";
import { measure } from "./steady/measure.ts";
import { runWrk } from "./steady/wrk.ts";

/** Processes that do the same differ: by how V8 compiled them, by where their memory lies. */
const SETS = 4;
const ROUNDS = 12;
/** Until V8 has compiled what all do. */
const WARM_UP_ROUNDS = 6;
const SECONDS = 1;
/** What all of it may cost more. */
const LIMIT = 1.05;

/** The last two have what the one before them has. */
const KINDS = [
  "a log line",
  "the same once more",
  "alerts, service levels, redaction",
  "traces, 1 % recorded",
] as const;

leaveProxyCore();
const wrk = { name: "wrk", debianPackage: "wrk", isThere: hasProgram("wrk") };
const cast = castOf(["understudy"], [wrk]);
if (tellMissing(cast)) process.exitCode = 1;
const description = cast.present[0]?.description;
const work = CASES.find(({ name }) => name === "get-32");
if (description !== undefined && work !== undefined && wrk.isThere) {
  await using collector = await startCollector();
  const costs: number[][] = KINDS.map(() => []);
  for (let set = 0; set < SETS; set++) await playSet(description, work, collector.url, costs);
  report(costs);
  console.log(`The collector took ${collector.taken()} batches of spans.`);
}

/** New processes, and all their rounds. */
async function playSet(
  proxy: PeerDescription,
  load: Case,
  collector: string,
  costs: readonly number[][],
): Promise<void> {
  using workspace = new Workspace();
  await using apps = await startApps(join(workspace.folder, "apps"));
  const start = (name: string, template: string, more: string): Promise<Peer> =>
    startPeer(
      { ...proxy, template, env: { COLLECTOR: collector } },
      { servers: apps.ports, folder: join(workspace.folder, name), logFormat: "json", more },
    );
  const traces = `tracing: { otlp: "${collector}/v1/traces", sample: 1% }\n`;
  await using plain = await start("plain", "understudy.yaml", "");
  await using control = await start("control", "understudy.yaml", "");
  await using watched = await start("watched", "understudy-observing.yaml", "");
  await using traced = await start("traced", "understudy-observing.yaml", traces);
  const peers = [plain, control, watched, traced];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    // Whoever follows whom: a machine that grows slower, or faster, favours nobody.
    const turns = [...peers.entries()];
    for (const [index, peer] of round % 2 === 0 ? turns : turns.toReversed()) {
      const [{ cpuUs }] = await Promise.all([
        measure(peer, apps, () => runWrk(peer.port, load, SECONDS)),
        scrape(peer),
      ]);
      if (round >= 0) costs[index]?.push(cpuUs);
    }
  }
}

function report(costs: readonly (readonly number[])[]): void {
  console.log(machineLine(describeMachine(cast)));
  const [first = []] = costs;
  for (const [index, own] of costs.entries()) {
    const ratios = own.map((cpuUs, round) => cpuUs / (first[round] ?? cpuUs));
    const ratio = median(ratios);
    const half = middleHalf(ratios).map((value) => value.toFixed(2));
    console.log(
      `${KINDS[index]}: ${median(own).toFixed(1)} us a request, ${ratio.toFixed(3)} times the first ` +
        `(half of ${own.length} pairs: ${half.join(" to ")})` +
        (ratio > LIMIT ? `: ABOVE THE LIMIT of ${LIMIT}` : ""),
    );
  }
}

async function scrape({ adminPort }: Peer): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  await answer.text();
}

/** Takes spans and messages, and forgets them. */
async function startCollector() {
  let batches = 0;
  const server = createServer((request, response) => {
    if (request.url === "/v1/traces") batches += 1;
    request.resume().on("end", () => response.end("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    taken: () => batches,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
