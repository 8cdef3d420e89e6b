import { parseArgs } from "node:util";
import { type ChaosServer, startChaosServer } from "../support/chaos-server.ts";
import { liveInTunnel, type TunnelStory } from "../support/chaos-tunnel.ts";
import { type GatewayProgram, startGatewayProgram } from "../support/gateway-program.ts";
import { type Inspector, type Living, openInspector } from "../support/inspector.ts";
import { openSockets, residentBytes } from "../support/process-facts.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/until.ts";

// node test/soak/tunnel-soak.ts [--seconds N] [--seed N]
// Tunnels are opened, talk and are killed from either side. What stands after a quarter of the time
// is what may stand at its end.

const CLIENTS = 40;
/** How long connections may take to close after the load, in milliseconds. */
const CLOSING_MS = 10_000;
const LOOKS = 5;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});
const seconds = Number(values.seconds);
const random = new Random(Number(values.seed));

await using blue = await startChaosServer(random);
await using green = await startChaosServer(random);
await using gateway = await startGateway(blue, green);
using inspector = await inspect(gateway);
const socketsAtStart = openSockets(gateway.program.pid);
const told: Record<TunnelStory, number> = { ended: 0, refused: 0, wrong: 0, hung: 0 };

await talkFor(seconds / 4);
const middle = await settled();
await talkFor((seconds * 3) / 4);
const end = await settled();

const failures = [
  ...failuresOf("sockets", end.sockets - socketsAtStart, 0),
  ...failuresOf("living sockets", end.livingSockets - middle.livingSockets, 0),
  ...failuresOf("listeners", end.listeners - middle.listeners, 0),
  ...failuresOf("bytes on the heap", end.heapBytes - middle.heapBytes, 3_000_000),
  ...failuresOf("resident bytes", end.residentBytes - middle.residentBytes, 40_000_000),
  ...failuresOf("messages bent", told.wrong, 0),
  ...failuresOf("tunnels hung", told.hung, 0),
];
if (told.ended === 0) failures.push("no tunnel was ever open");
console.log(JSON.stringify({ seed: values.seed, told, middle, end }, undefined, 2));
console.log(`tunnel soak: ${told.ended} tunnels, ${failures.join(", ") || "nothing left behind"}`);
await gateway[Symbol.asyncDispose]();
// A socket that is reset after its end() never closes in Node: clients and servers may have some.
process.exit(failures.length === 0 ? 0 : 1);

async function startGateway(blue: ChaosServer, green: ChaosServer): Promise<GatewayProgram> {
  // Enough of them break to take a server down, and its tunnels with it, all the time.
  const group = (path: string, max_fails: number): object => ({
    routes: [{ path }],
    pools: {
      blue: { url: blue.url, max_fails, fail_timeout: "100ms" },
      green: { url: green.url, max_fails, fail_timeout: "100ms" },
    },
  });
  return await startGatewayProgram({
    groups: { calm: group("/calm", 0), nervous: group("/nervous", 1) },
    // What is looked into is the process that serves.
    config: { workers: 0, access_log: { file: "/dev/null" } },
    nodeFlags: ["--inspect=127.0.0.1:0"],
  });
}

async function inspect({ program }: GatewayProgram): Promise<Inspector> {
  const [, url = ""] = await program.says(/^Debugger listening on (\S+)$/m, "stderr");
  return await openInspector(url);
}

async function talkFor(seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1e3;
  const client = async (): Promise<void> => {
    while (performance.now() < until) told[await liveInTunnel(gateway.port, random)] += 1;
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** How things stand once all sockets of the load are closed, or have had their time for it. */
async function settled() {
  const { pid } = gateway.program;
  await calm();
  const heapBytes = await inspector.heapBytes();
  const living = await leastLiving();
  return { ...living, heapBytes, residentBytes: residentBytes(pid), sockets: openSockets(pid) };
}

/** What lives at every look: a check of a server that is out has a socket too, but it ends. */
async function leastLiving(): Promise<Living> {
  let least = await inspector.living();
  for (let look = 1; look < LOOKS; look += 1) {
    await calm();
    const living = await inspector.living();
    if (living.livingSockets < least.livingSockets) least = living;
  }
  return least;
}

async function calm(): Promise<void> {
  const isCalm = (): boolean => openSockets(gateway.program.pid) <= socketsAtStart;
  await until(isCalm, `${socketsAtStart} sockets open`, CLOSING_MS).catch(console.error);
}

function failuresOf(what: string, more: number, most: number): readonly string[] {
  return more > most ? [`FAILED: ${more} more ${what}`] : [];
}
