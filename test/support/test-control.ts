import type { Control, LastProbe, Outcome, ServerLoad } from "../../src/control/control.ts";
import type { WorkerFacts } from "../../src/process/crew.ts";
import type { GatewayEvent } from "../../src/events.ts";
import { Groups } from "../../src/failover/groups.ts";
import type { GroupState } from "../../src/failover/group-state.ts";
import type { GroupSpec } from "../../src/failover/spec.ts";
import type { Clock } from "../../src/clock.ts";
import { aGroup, struck } from "./failover-groups.ts";

const DONE: Outcome = { ok: true, lines: ["done"] };

/** A gateway's control without the gateway: real groups, and orders that come to what a test says. */
export class TestControl implements Control {
  readonly startedAt: number;
  readonly addresses = ["127.0.0.1:8080"];
  readonly config;
  readonly reloads = { ok: 2, failed: 1 };
  readonly registry: Groups;
  workers: readonly WorkerFacts[] = [];
  connections = 3;
  isStopping = false;
  /** By the server's key, `blue blue1`. */
  readonly loads = new Map<string, ServerLoad>();
  /** By the server's key. */
  readonly probes = new Map<string, LastProbe>();
  /** By the pool's name. */
  readonly releases = new Map<string, string>();
  /** What orders come to. */
  decide: () => Outcome | Promise<Outcome> = () => DONE;
  /** `reload`, `restart`: those given. */
  readonly orders: string[] = [];
  readonly #listeners = new Set<(event: GatewayEvent) => void>();

  constructor(clock: Clock, specs: readonly GroupSpec[] = [aGroup()]) {
    this.startedAt = clock.wall();
    this.config = { number: 3, hash: "a1b2c3d4e5f6", since: clock.wall() };
    this.registry = new Groups(() => clock.now());
    this.registry.load(specs);
    this.registry.subscribe(({ happened }) => {
      for (const event of happened) this.tell(event);
    });
  }

  get groups(): Iterable<GroupState> {
    return this.registry;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** A strike against a server, by its place in the order of the pools. */
  strike(server: number, group = "app"): void {
    this.registry.apply(group, struck(this.registry.get(group), server));
  }

  tell(event: GatewayEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  loadOf(_group: string, serverKey: string): ServerLoad {
    return this.loads.get(serverKey) ?? { inFlight: 0, tunnels: 0 };
  }

  releaseOf(_group: string, pool: string): string | undefined {
    return this.releases.get(pool);
  }

  lastProbeOf(_group: string, serverKey: string): LastProbe | undefined {
    return this.probes.get(serverKey);
  }

  async reload(): Promise<Outcome> {
    this.orders.push("reload");
    return await this.decide();
  }

  async restart(): Promise<Outcome> {
    this.orders.push("restart");
    return await this.decide();
  }

  async switchTo(group: string, pool: string): Promise<Outcome> {
    this.orders.push(`switch ${group} ${pool}`);
    const outcome = await this.decide();
    if (outcome.ok) this.registry.apply(group, { type: "switched", to: pool });
    return outcome;
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
