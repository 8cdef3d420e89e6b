import type { ChannelTest } from "../../src/alert/alerts.ts";
import { EventHistory, type KeptEvent } from "../../src/control/event-history.ts";
import type { Control, LastProbe, Outcome, ServerLoad } from "../../src/control/control.ts";
import type { Orders, SwitchOrder } from "../../src/control/orders.ts";
import type { ExchangeStory } from "../../src/process/exchange-story.ts";
import type { WorkerFacts } from "../../src/process/crew.ts";
import type { GatewayEvent } from "../../src/events.ts";
import { Groups } from "../../src/failover/groups.ts";
import type { GroupState } from "../../src/failover/group-state.ts";
import type { GroupSpec } from "../../src/failover/spec.ts";
import type { Clock } from "../../src/clock.ts";
import type { PoolTraffic } from "../../src/observe/pool-traffic.ts";
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
  traffic: readonly PoolTraffic[] = [];
  waiting = 0;
  uncountedMs = 500;
  told: readonly ExchangeStory[] = [];
  alerts: Control["alerts"] = { active: [], channels: [], test: () => this.#testAlerts() };
  serviceLevels: Control["serviceLevels"] = { of: () => [] };
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
  readonly ordered: string[] = [];
  readonly #listeners = new Set<(event: KeptEvent) => void>();
  readonly history: EventHistory;

  constructor(clock: Clock, specs: readonly GroupSpec[] = [aGroup()]) {
    this.startedAt = clock.wall();
    this.config = { number: 3, hash: "a1b2c3d4e5f6", since: clock.wall() };
    this.history = new EventHistory(clock);
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
    const kept = this.history.add(event, this.config.number);
    for (const listener of this.#listeners) listener(kept);
  }

  loadOf(_group: string, serverKey: string): ServerLoad {
    return this.loads.get(serverKey) ?? { inFlight: 0, tunnels: 0 };
  }

  stories(): Promise<readonly ExchangeStory[]> {
    return Promise.resolve(this.told);
  }

  waitingOf(): number {
    return this.waiting;
  }

  releaseOf(_group: string, pool: string): string | undefined {
    return this.releases.get(pool);
  }

  lastProbeOf(_group: string, serverKey: string): LastProbe | undefined {
    return this.probes.get(serverKey);
  }

  async reload(): Promise<Outcome> {
    this.ordered.push("reload");
    return await this.decide();
  }

  async restart(): Promise<Outcome> {
    this.ordered.push("restart");
    return await this.decide();
  }

  readonly orders = new TestOrders(this);

  /** Refused: there is no channel. */
  async #testAlerts(): Promise<readonly ChannelTest[]> {
    this.ordered.push("alerts test");
    const outcome = await this.decide();
    const channel = "slack hooks.slack.com";
    if (outcome.ok) return [{ channel, delivery: { ok: true } }];
    if (outcome.kind === "refused") return [];
    const [reason = ""] = outcome.lines;
    return [{ channel, delivery: { ok: false, reason, isFinal: false, retryAfterMs: undefined } }];
  }

  subscribe(listener: (event: KeptEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Orders that come to what the test says; a switch that is done is seen. */
class TestOrders implements Orders {
  readonly #control: TestControl;

  constructor(control: TestControl) {
    this.#control = control;
  }

  async switchTo(group: string, order: SwitchOrder): Promise<Outcome> {
    const outcome = await this.#take("switch", group, order);
    if (outcome.ok) this.#control.registry.apply(group, { type: "switched", to: order.to });
    return outcome;
  }

  rollback = this.#taking("rollback");
  setAdmin = this.#taking("admin");
  hold = this.#taking("hold");
  resume = this.#taking("resume");
  setMaintenance = this.#taking("maintenance");
  setSplit = this.#taking("split");
  setStandby = this.#taking("standby");
  drill = this.#taking("drill");
  reset = this.#taking("reset");
  createGroup = this.#taking("create");
  changeGroup = this.#taking("change");
  deleteGroup = this.#taking("delete");

  #taking(verb: string): (group: string, order: object) => Promise<Outcome> {
    return (group, order) => this.#take(verb, group, order);
  }

  async #take(verb: string, group: string, order: object): Promise<Outcome> {
    this.#control.ordered.push(`${verb} ${group} ${JSON.stringify(order)}`);
    return await this.#control.decide();
  }
}
