/**
 * What it costs to be told everything: `npm run bench:observing`. Gateways with one worker on the same core take
 * turns of a second: one that writes a JSON log line, one with alerts, service levels and redaction besides, one
 * with traces as well. The metrics of all are scraped every second.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { castOf, tellMissing } from "./rig/cast.ts";
import { leaveProxyCore } from "./rig/cores.ts";
import { hasProgram } from "./rig/has-program.ts";
import { describeMachine, machineLine } from "./rig/machine.ts";
import { type Peer, startPeer } from "./rig/peer.ts";
import { type Apps, startApps, Workspace } from "./rig/stage.ts";
import { median, spread } from "./rig/statistics.ts";
import { type Case, CASES } from "./steady/cases.ts";
import { measure } from "./steady/measure.ts";
import { runWrk } from "./steady/wrk.ts";

const ROUNDS = 21;
/** Until V8 has compiled what both do. */
const WARM_UP_ROUNDS = 8;
const SECONDS = 1;
/** What all of it may cost more. */
const LIMIT = 1.05;

/** Each has what the one before it has. */
const KINDS = ["a log line", "alerts, service levels, redaction", "traces, 1 % recorded"] as const;

leaveProxyCore();
const wrk = { name: "wrk", debianPackage: "wrk", isThere: hasProgram("wrk") };
const cast = castOf(["understudy"], [wrk]);
if (tellMissing(cast)) process.exitCode = 1;
const description = cast.present[0]?.description;
const work = CASES.find(({ name }) => name === "get-32");
if (description !== undefined && work !== undefined && wrk.isThere) {
  await using collector = await startCollector();
  using workspace = new Workspace();
  await using apps = await startApps(join(workspace.folder, "apps"));
  const start = (name: string, template: string, more: string): Promise<Peer> =>
    startPeer(
      { ...description, template, env: { COLLECTOR: collector.url } },
      { servers: apps.ports, folder: join(workspace.folder, name), logFormat: "json", more },
    );
  const traces = `tracing: { otlp: "${collector.url}/v1/traces", sample: 1% }\n`;
  await using plain = await start("plain", "understudy.yaml", "");
  await using watched = await start("watched", "understudy-observing.yaml", "");
  await using traced = await start("traced", "understudy-observing.yaml", traces);
  await compare([plain, watched, traced], apps, work);
  console.log(`The collector took ${collector.taken()} batches of spans.`);
}

async function compare(peers: readonly Peer[], apps: Apps, work: Case): Promise<void> {
  const costs: number[][] = peers.map(() => []);
  for (let round = 1 - WARM_UP_ROUNDS; round <= ROUNDS; round++) {
    for (const [index, peer] of peers.entries()) {
      const [{ cpuUs }] = await Promise.all([
        measure(peer, apps, () => runWrk(peer.port, work, SECONDS)),
        scrape(peer),
      ]);
      if (round > 0) costs[index]?.push(cpuUs);
    }
  }
  console.log(machineLine(describeMachine(cast)));
  const [first = []] = costs;
  for (const [index, own] of costs.entries()) {
    const ratios = own.map((cpuUs, round) => cpuUs / (first[round] ?? cpuUs));
    const ratio = median(ratios);
    console.log(
      `${KINDS[index]}: ${median(own).toFixed(1)} us a request, ${ratio.toFixed(3)} times the first ` +
        `(spread ${(spread(ratios) * 100).toFixed(0)} %)` +
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
