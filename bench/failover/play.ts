import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as after } from "node:timers/promises";
import { type Client, startClient } from "../../demo/strict-client.ts";
import type { Result } from "../../demo/tally.ts";
import { echoBodyOf, NOBODY } from "../app/echo-body.ts";
import { runAutocannon } from "../rig/autocannon.ts";
import { type Peer, startPeer } from "../rig/peer.ts";
import type { PeerDescription } from "../rig/peer-description.ts";
import { startApps } from "../rig/stage.ts";
import type { Played, PlayedAct } from "./played.ts";
import type { Scenario, Stage } from "./scenario.ts";
import { readSent } from "./sent-log.ts";
import { Tunnels } from "./tunnels.ts";

/** The load that a scenario is played under. */
export interface Pressure {
  readonly strictPerSecond: number;
  /** Of autocannon beside it; undefined = as much as it can. */
  readonly autocannonPerSecond: number | undefined;
  readonly autocannonConnections: number;
}

const POST_RATIO = 0.2;
/** Enough for all that become due while a server hangs for 3 s. */
const CONNECTIONS = 1_000;
/** Longer than any limit of a peer. */
const PATIENCE_MS = 8_000;
const AUTOCANNON_STARTS_MS = 700;

/** A peer of its own and apps of its own for one scenario, started, without load yet. */
export class Rehearsed implements AsyncDisposable {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #tunnels: Tunnels;
  readonly #running: AsyncDisposableStack;

  static async start(
    scenario: Scenario,
    description: PeerDescription,
    folder: string,
  ): Promise<Rehearsed> {
    await using starting = new AsyncDisposableStack();
    const apps = starting.use(await startApps(folder));
    const settings = { servers: apps.ports, folder: join(folder, "proxy") };
    const peer = starting.use(await startPeer(description, { ...settings, logFormat: "json" }));
    const tunnels = starting.use(await Tunnels.open(peer.port, scenario.tunnels));
    return new Rehearsed(scenario, { apps, peer }, tunnels, starting.move());
  }

  private constructor(
    scenario: Scenario,
    stage: Stage,
    tunnels: Tunnels,
    running: AsyncDisposableStack,
  ) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#tunnels = tunnels;
    this.#running = running;
  }

  /** Puts load on the peer while the acts are played, and tells all that came of it. */
  async play(pressure: Pressure): Promise<Played> {
    const { apps, peer } = this.#stage;
    const scenario = this.#scenario;
    const stalls = monitorEventLoopDelay({ resolution: 10 });
    const beside = autocannonBeside(scenario, peer, pressure);
    // A program that starts takes the core from all the others for a moment.
    await after(AUTOCANNON_STARTS_MS);
    stalls.enable();
    const results: Result[] = [];
    const began = epochMs();
    const client = startStrictClient(peer, pressure, results);
    const acts = await playActs(scenario, this.#stage, began);
    const summary = await client.stop();
    stalls.disable();
    const autocannon = await beside;
    const tunnelsAlive = scenario.tunnels === 0 ? undefined : await this.#tunnels.alive();
    await peer.stop();
    const { name } = peer.description;
    return {
      scenario,
      peer: name,
      began,
      acts,
      results,
      summary,
      arrivals: { primary: apps.primary.arrivals(), backup: apps.backup.arrivals() },
      autocannon,
      tunnelsAlive,
      stallMs: stalls.max / 1e6,
      loggedAsSent: name === "understudy" ? readSent(peer.accessLog) : new Set(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }
}

function startStrictClient({ port }: Peer, pressure: Pressure, results: Result[]): Client {
  return startClient({
    host: "127.0.0.1",
    port,
    ratePerSecond: pressure.strictPerSecond,
    connections: CONNECTIONS,
    postRatio: POST_RATIO,
    timeoutMs: PATIENCE_MS,
    stopMs: PATIENCE_MS + 1_000,
    getBodyOf: echoBodyOf,
    onResult: (result) => results.push(result),
  });
}

async function playActs(scenario: Scenario, stage: Stage, began: number): Promise<PlayedAct[]> {
  const played: PlayedAct[] = [];
  for (const { at, label, role, play } of scenario.acts) {
    await after(Math.max(0, began + at * 1e3 - epochMs()));
    const actBegan = epochMs();
    await play(stage);
    played.push({ label, role, began: actBegan, ended: epochMs() });
  }
  await after(Math.max(0, began + scenario.seconds * 1e3 - epochMs()));
  return played;
}

async function autocannonBeside(scenario: Scenario, { port }: Peer, pressure: Pressure) {
  const { autocannonConnections: connections, autocannonPerSecond: rate } = pressure;
  return await runAutocannon({
    port,
    path: "/echo",
    connections,
    seconds: scenario.seconds + 1,
    expectBody: echoBodyOf(NOBODY),
    ...(rate === undefined ? {} : { ratePerSecond: rate }),
  });
}

/** By the clock that the strict client's results go by, which never jumps. */
function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
