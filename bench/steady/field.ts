import { join } from "node:path";
import { runAutocannon } from "../rig/autocannon.ts";
import type { CastMember } from "../rig/cast.ts";
import { type Peer, startPeer } from "../rig/peer.ts";
import type { Apps } from "../rig/stage.ts";
import type { Case } from "./cases.ts";
import type { Load } from "./load.ts";
import { measure, type Round } from "./measure.ts";
import type { CaseResult } from "./steady-result.ts";
import { runTunnels } from "./tunnel-load.ts";
import { runWrk } from "./wrk.ts";

export interface Rounds {
  readonly count: number;
  /** wrk knows whole seconds only. */
  readonly seconds: number;
}

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

  /** One case against every peer, in turns: A B C A B C, so that a slow moment meets them all. */
  async play(work: Case, rounds: Rounds, generate = generatorOf(work)): Promise<CaseResult> {
    const able = this.#peers.filter((peer) => canPlay(peer, work));
    const results = able.map((peer) => ({ peer, rounds: new Array<Round>() }));
    for (let round = 0; round < rounds.count; round++) {
      for (const result of results) {
        const { port } = result.peer;
        result.rounds.push(
          await measure(result.peer, this.#apps, () => generate(port, work, rounds.seconds)),
        );
      }
    }
    const roundsOf = (peer: Peer) => results.find((result) => result.peer === peer)?.rounds ?? [];
    return {
      case: work,
      peers: this.#peers.map((peer) => ({ peer: peer.description.name, rounds: roundsOf(peer) })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }
}

/** wrk, or where messages are to go through tunnels, this process. */
export function generatorOf({ messageBytes }: Case): Generate {
  return messageBytes > 0 ? runTunnels : runWrk;
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
