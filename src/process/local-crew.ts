import type { ExchangeStory } from "./exchange-story.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { BoundAddress } from "./bound-address.ts";
import { type Answer, DONE } from "./channel.ts";
import type { Crew, Edition, WorkerFacts } from "./crew.ts";
import { type GroupWaits, type ServerLoads, Service, type ServiceTools } from "./service.ts";

/** Everything in one process: for embedding, for tests, and with `workers: 0`. */
export class LocalCrew implements Crew {
  readonly workers: readonly WorkerFacts[] = [];
  readonly uncountedMs = 0;
  readonly #tools: ServiceTools;
  readonly #taken = new Set<string>();
  #service: Service | undefined;

  constructor(tools: ServiceTools) {
    this.#tools = tools;
  }

  get connections(): number {
    return this.#service?.connections ?? 0;
  }

  get loads(): ServerLoads {
    return this.#service?.loads ?? [];
  }

  get waits(): GroupWaits {
    return this.#service?.waits ?? [];
  }

  get traffic(): readonly PoolTraffic[] {
    return this.#service?.traffic ?? [];
  }

  get stories(): readonly ExchangeStory[] {
    return this.#service?.stories ?? [];
  }

  async start({ config, addresses }: Edition): Promise<void> {
    this.#service = new Service(config, this.#tools);
    try {
      await this.#take(addresses);
    } catch (error) {
      this.destroy();
      await this.stop();
      throw error;
    }
  }

  prepare({ config }: Edition): Promise<Answer> {
    try {
      this.#service?.prepare(config);
      return Promise.resolve(DONE);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return Promise.resolve({ ok: false, reason });
    }
  }

  async commit({ addresses }: Edition): Promise<void> {
    this.#service?.commit();
    const kept = new Set(addresses.map(({ key }) => key));
    for (const key of this.#taken) {
      if (kept.has(key)) continue;
      this.#service?.leave(key);
      this.#taken.delete(key);
    }
    await this.#take(addresses);
  }

  abort(): Promise<void> {
    this.#service?.abort();
    return Promise.resolve();
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  restart(): Promise<Answer> {
    return Promise.resolve({
      ok: false,
      reason: "there are no workers: the gateway is one process",
    });
  }

  reopenLogs(): void {
    this.#service?.reopenLogs();
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
  }

  destroy(): void {
    this.#service?.destroy();
  }

  kill(): Promise<void> {
    return Promise.resolve();
  }

  async #take(addresses: readonly BoundAddress[]): Promise<void> {
    for (const { key, address, sockets } of addresses) {
      const [socket] = sockets;
      if (socket === undefined || this.#taken.has(key)) continue;
      this.#taken.add(key);
      await this.#service?.take(key, address, socket);
    }
  }
}
