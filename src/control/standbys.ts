import type { Action, ActionFacts, ActionResult } from "../action/action.ts";
import type { Cancel, Clock } from "../clock.ts";
import type { StandbyConfig } from "../config/config.ts";
import type { GatewayEvent } from "../events.ts";
import type { GroupState, PoolState, Standby } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import { isSpare, neededStandby } from "../failover/standby.ts";

/** Milliseconds until a start that failed is tried again; twice as long after each further one. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** How often it is looked whether a standby that is to be stopped still has somebody on it. */
const BUSY_MS = 1_000;

export interface StandbysTools {
  readonly clock: Clock;
  readonly groups: Groups;
  /** As the configuration in service has it; undefined for any other pool. */
  readonly configOf: (group: string, pool: string) => StandbyConfig | undefined;
  readonly act: (action: Action, facts: ActionFacts) => Promise<ActionResult>;
  readonly tell: (event: GatewayEvent) => void;
  /** Whether somebody is on the pool. */
  readonly isBusy: (group: string, pool: string) => boolean;
}

/** One cold standby, as it is started and stopped. */
interface Keeper {
  readonly group: string;
  readonly pool: string;
  /** Its `start` or `stop` is under way. */
  isActing: boolean;
  /** Starts in a row that came to nothing. */
  failures: number;
  /** What the last of them came to. */
  trouble: string | undefined;
  /** Until its boot is too late, its next start, or its stop: never two of them. */
  waitsFor: "boot" | "start" | "stop" | undefined;
  cancel: Cancel;
}

/** Starts cold standbys when nobody else can serve, once whoever asks, and stops them when they are needed no more. */
export class Standbys {
  readonly #tools: StandbysTools;
  readonly #keepers = new Map<string, Keeper>();
  #unsubscribe: () => void = () => {};
  #isStopped = false;

  constructor(tools: StandbysTools) {
    this.#tools = tools;
  }

  /** From now on it looks. */
  begin(): void {
    this.#unsubscribe = this.#tools.groups.subscribe(({ group }) => this.#lookAgain(group));
    this.follow();
  }

  /** The groups were loaded. */
  follow(): void {
    for (const group of this.#tools.groups) this.#look(group);
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    for (const keeper of this.#keepers.values()) keeper.cancel();
  }

  /** Starts it, unless it runs or is being started; `reason` in words. */
  start(group: string, pool: string, reason: string): void {
    const keeper = this.#keeperOf(group, pool);
    if (keeper.isActing || this.#standbyOf(keeper) === "booting") return;
    void this.#start(keeper, reason);
  }

  /** Why it does not run although somebody wanted it to. */
  troubleOf(group: string, pool: string): string | undefined {
    return this.#keeperOf(group, pool).trouble;
  }

  /** Puts it to sleep at once, whoever is on it. */
  async sleep(group: string, pool: string, reason: string): Promise<ActionResult> {
    return await this.#stop(this.#keeperOf(group, pool), reason);
  }

  #look(state: GroupState): void {
    if (this.#isStopped) return;
    const { name, pools } = state.spec;
    for (const { name: pool, cold } of pools) {
      const found = state.pools.find((one) => one.name === pool);
      if (cold && found !== undefined) this.#tend(state, found);
    }
    const needed = neededStandby(state);
    if (needed === undefined) return;
    const keeper = this.#keeperOf(name, needed.name);
    if (keeper.isActing || keeper.waitsFor === "start") return;
    void this.#start(keeper, "no other pool can serve");
  }

  /** What is to be waited for, by the state of now. */
  #tend(state: GroupState, pool: PoolState): void {
    const keeper = this.#keeperOf(state.spec.name, pool.name);
    const config = this.#tools.configOf(keeper.group, keeper.pool);
    if (keeper.isActing || config === undefined) return;
    if (pool.standby === "awake") {
      keeper.failures = 0;
      keeper.trouble = undefined;
    }
    if (pool.standby === "booting") {
      if (keeper.waitsFor === "boot") return;
      return this.#wait(keeper, "boot", config.bootMs, () => void this.#giveUp(keeper, config));
    }
    if (isSpare(state, pool)) {
      if (keeper.waitsFor === "stop") return;
      return this.#wait(keeper, "stop", config.stopAfterMs, () => this.#retire(keeper));
    }
    if (keeper.waitsFor !== "start") this.#waitNoMore(keeper);
  }

  async #start(keeper: Keeper, reason: string): Promise<void> {
    const { group, pool } = keeper;
    const config = this.#tools.configOf(group, pool);
    if (config === undefined) return;
    this.#waitNoMore(keeper);
    const result = await this.#act(keeper, config.start, "standby-start", () => {
      this.#set(keeper, "booting", reason);
    });
    if (this.#isStopped) return;
    if (result.ok) return this.#lookAgain(group);
    this.#fail(keeper, result.reason);
  }

  /** It was started, and nobody there has passed a probe in time. */
  async #giveUp(keeper: Keeper, { stop, bootMs }: StandbyConfig): Promise<void> {
    this.#waitNoMore(keeper);
    if (stop !== undefined) await this.#act(keeper, stop, "standby-stop", () => {});
    if (this.#isStopped || this.#standbyOf(keeper) !== "booting") return;
    this.#fail(keeper, `none of its servers has passed a probe within ${bootMs / 1_000} s`);
  }

  #fail(keeper: Keeper, why: string): void {
    const { group, pool } = keeper;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** keeper.failures, LONGEST_PAUSE_MS);
    keeper.failures += 1;
    keeper.trouble = why;
    const reason = `start ${keeper.failures} came to nothing: ${why}; the next one in ${pauseMs / 1_000} s where it is needed then`;
    this.#tools.tell({ type: "standby-failed", group, pool, reason });
    this.#wait(keeper, "start", pauseMs, () => {
      this.#waitNoMore(keeper);
      this.#lookAgain(group);
    });
    this.#set(keeper, "asleep", "its start came to nothing");
  }

  /** Its time is up: nobody has needed it since. */
  #retire(keeper: Keeper): void {
    const { group, pool } = keeper;
    if (this.#tools.isBusy(group, pool)) {
      return this.#wait(keeper, "stop", BUSY_MS, () => this.#retire(keeper));
    }
    void this.#stop(keeper, "another pool serves");
  }

  async #stop(keeper: Keeper, reason: string): Promise<ActionResult> {
    const { group, pool } = keeper;
    const config = this.#tools.configOf(group, pool);
    this.#waitNoMore(keeper);
    if (config?.stop === undefined) {
      this.#set(keeper, "asleep", reason);
      return { ok: true, output: "" };
    }
    // Nobody is sent there while it stops.
    const result = await this.#act(keeper, config.stop, "standby-stop", () => {
      this.#set(keeper, "asleep", reason);
    });
    if (this.#isStopped) return result;
    if (!result.ok) {
      const words = `it was not stopped: ${result.reason}`;
      this.#tools.tell({ type: "standby-failed", group, pool, reason: words });
    }
    this.#lookAgain(group);
    return result;
  }

  /** `begin` is done first, while nobody else begins anything. */
  async #act(
    keeper: Keeper,
    action: Action,
    event: string,
    begin: () => void,
  ): Promise<ActionResult> {
    const { group, pool } = keeper;
    keeper.isActing = true;
    begin();
    const facts = {
      event,
      group,
      pool,
      failover_status: this.#isOnline(keeper) ? "online" : "offline",
    };
    const result = await this.#tools.act(action, facts);
    keeper.isActing = false;
    return result;
  }

  #set({ group, pool }: Keeper, standby: Exclude<Standby, "awake">, reason: string): void {
    this.#tools.groups.apply(group, { type: "standby-set", pool, standby, reason });
  }

  #lookAgain(group: string): void {
    const state = this.#tools.groups.find(group);
    if (state !== undefined) this.#look(state);
  }

  #wait(keeper: Keeper, what: Keeper["waitsFor"], ms: number, then: () => void): void {
    keeper.cancel();
    keeper.waitsFor = what;
    keeper.cancel = this.#tools.clock.after(ms, then);
  }

  #waitNoMore(keeper: Keeper): void {
    keeper.cancel();
    keeper.waitsFor = undefined;
  }

  #standbyOf({ group, pool }: Keeper): Standby | undefined {
    return this.#tools.groups.find(group)?.pools.find(({ name }) => name === pool)?.standby;
  }

  #isOnline({ group, pool }: Keeper): boolean {
    return this.#tools.groups.find(group)?.active === pool;
  }

  #keeperOf(group: string, pool: string): Keeper {
    const key = `${group} ${pool}`;
    const known = this.#keepers.get(key);
    if (known !== undefined) return known;
    const keeper: Keeper = {
      group,
      pool,
      isActing: false,
      failures: 0,
      trouble: undefined,
      waitsFor: undefined,
      cancel: () => {},
    };
    this.#keepers.set(key, keeper);
    return keeper;
  }
}
