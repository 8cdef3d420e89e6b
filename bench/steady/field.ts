import { join } from "node:path";
import { runAutocannon } from "../rig/autocannon.ts";
import type { CastMember } from "../rig/cast.ts";
import { type Peer, startPeer } from "../rig/peer.ts";
import type { PeerName } from "../rig/peer-description.ts";
import type { Apps } from "../rig/stage.ts";
import { type Bout, boutsOf, type Rounds, withRatios } from "./bouts.ts";
import type { Case } from "./cases.ts";
import type { Load } from "./load.ts";
import { measure, type Round } from "./measure.ts";
import type { CaseResult, ComparedRound } from "./steady-result.ts";
import { runTunnels } from "./tunnel-load.ts";
import { runWrk } from "./wrk.ts";

export type Generate = (port: number, work: Case, seconds: number) => Promise<Load>;

/** All peers, started and waiting: between their turns they cost nothing. */
export class Field implements AsyncDisposable {
  readonly #apps: Apps;
  readonly #peers: readonly Peer[];
  readonly #running: AsyncDisposableStack;

  static async start(
    cast: readonly CastMember[],
    apps: Apps,
    folder: string,
    warmUp: (port: number) => Promise<unknown>,
  ): Promise<Field> {
    await using starting = new AsyncDisposableStack();
    const peers: Peer[] = [];
    for (const { description } of cast) {
      const settings = { servers: apps.ports, folder: join(folder, description.name) };
      const peer = starting.use(await startPeer(description, settings));
      await warmUp(peer.port);
      peers.push(peer);
    }
    return new Field(apps, peers, starting.move());
  }

  private constructor(apps: Apps, peers: readonly Peer[], running: AsyncDisposableStack) {
    this.#apps = apps;
    this.#peers = peers;
    this.#running = running;
  }

  /** One case against every peer, each beside nginx, so that a slow moment meets both. */
  async play(work: Case, rounds: Rounds, generate = generatorOf(work)): Promise<CaseResult> {
    const able = this.#peers.filter((peer) => canPlay(peer, work)).map(nameOf);
    const played = new Map<string, ComparedRound[]>(this.#peers.map((peer) => [nameOf(peer), []]));
    for (const bout of boutsOf(able, rounds)) {
      const load = (port: number) => generate(port, work, rounds.seconds);
      const compared = withRatios(bout, await this.#playBout(bout, load));
      for (const [n, round] of compared.entries()) played.get(bout[n] ?? "")?.push(round);
    }
    const peers = this.#peers.map(nameOf);
    return {
      case: work,
      peers: peers.map((peer) => ({ peer, rounds: played.get(peer) ?? [] })),
    };
  }

  async #playBout(bout: Bout, load: (port: number) => Promise<Load>): Promise<readonly Round[]> {
    const rounds: Round[] = [];
    for (const name of bout) {
      const peer = this.#peers.find((each) => nameOf(each) === name);
      if (peer === undefined) throw new Error(`${name} is not running`);
      rounds.push(await measure(peer, this.#apps, () => load(peer.port)));
    }
    return rounds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }
}

/** wrk, or where messages are to go through tunnels, this process. */
export function generatorOf({ messageBytes }: Case): Generate {
  return messageBytes > 0 ? runTunnels : runWrk;
}

function nameOf({ description }: Peer): PeerName {
  return description.name;
}

function canPlay({ description }: Peer, { messageBytes }: Case): boolean {
  return messageBytes === 0 || description.upgrades;
}

/** The same load by autocannon, to see whether the other generator is to be believed. */
export const byAutocannon: Generate = async (port, { path, connections }, seconds) => {
  const count = await runAutocannon({ port, path, connections, seconds });
  const { errors, non2xx, lost, p50Ms, p99Ms } = count;
  return {
    requests: count.answered,
    seconds: count.seconds,
    failed: errors + non2xx + lost,
    p50Ms,
    p99Ms,
  };
};
