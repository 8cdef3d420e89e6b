import type { Cancel, Clock } from "../clock.ts";
import type { BurnSpeed, GatewayEvent, Objective } from "../events.ts";
import { noTraffic, type PoolTraffic, trafficKey, trafficSince } from "../observe/pool-traffic.ts";
import { countAnswers } from "../observe/request-counts.ts";
import type { BudgetFile } from "./budget-file.ts";
import { type Burn, ErrorBudget, type KeptBudget } from "./error-budget.ts";
import { addOutcomes, NONE, type Outcomes } from "./outcomes.ts";
import { objectivesOf, type ServiceLevel } from "./service-level.ts";

export interface ServiceLevelsTools {
  readonly clock: Clock;
  /** What the groups promise, as in service; groups that promise nothing have none. */
  readonly levels: () => ReadonlyMap<string, ServiceLevel>;
  /** All that was counted so far. */
  readonly traffic: () => readonly PoolTraffic[];
  readonly file: BudgetFile;
  readonly tell: (event: GatewayEvent) => void;
}

/** What outlives a restart. */
export interface KeptBudgets {
  /** By budgetKey(). */
  readonly budgets: Readonly<Record<string, KeptBudget>>;
}

/** How a promise of a group is kept. */
export interface ObjectiveView {
  readonly objective: Objective;
  /** The part that has to be good, 0 to 1. */
  readonly target: number;
  /** The longest that a good request takes; undefined where time does not matter. */
  readonly underMs: number | undefined;
  /** Over the last 30 days. */
  readonly outcomes: Outcomes;
  /** The part of the error budget that is left; below 0 the promise is broken. */
  readonly budgetLeft: number;
  readonly burning: BurnSpeed | undefined;
}

/** How often traffic is looked at, and how often the budgets are written down. */
const LOOK_MS = 10_000;
const SAVE_MS = 60_000;
const SPEEDS: readonly BurnSpeed[] = ["fast", "slow"];

/** Measures what clients meet by what their groups promise. */
export class ServiceLevels {
  readonly #tools: ServiceLevelsTools;
  readonly #budgets = new Map<string, ErrorBudget>();
  /** `availability app fast`: what was told. */
  readonly #burning = new Set<string>();
  #before: ReadonlyMap<string, PoolTraffic> = new Map();
  #savedAt: number;
  #cancel: Cancel = () => {};

  constructor(tools: ServiceLevelsTools) {
    this.#tools = tools;
    this.#savedAt = tools.clock.now();
    for (const [key, kept] of Object.entries(tools.file.load().budgets)) {
      this.#budgets.set(key, new ErrorBudget(kept));
    }
  }

  start(): void {
    this.#look();
    this.#cancel = this.#tools.clock.after(LOOK_MS, () => this.start());
  }

  /** Everything counted so far is written down. */
  async stop(): Promise<void> {
    this.#cancel();
    this.#look();
    this.#save();
    await this.#tools.file.close();
  }

  /** How a group keeps what it promises. */
  of(group: string): readonly ObjectiveView[] {
    const level = this.#tools.levels().get(group);
    const at = this.#tools.clock.wall();
    return level === undefined
      ? []
      : objectivesOf(level).map(([objective, target]) => {
          const budget = this.#budgetOf(group, objective);
          return {
            objective,
            target,
            underMs: objective === "latency" ? level.latency?.underMs : undefined,
            outcomes: budget.period(at),
            budgetLeft: budget.left(target, at),
            burning: SPEEDS.find((speed) => this.#burning.has(burnKey(group, objective, speed))),
          };
        });
  }

  #look(): void {
    const { clock, levels, traffic } = this.#tools;
    const counted = traffic();
    const since = counted.map((one) => {
      const before = this.#before.get(trafficKey(one)) ?? noTraffic(one.group, one.pool);
      return trafficSince(one, before);
    });
    this.#before = new Map(counted.map((one) => [trafficKey(one), one]));
    for (const [group, level] of levels()) {
      const mine = since.filter((one) => one.group === group);
      for (const [objective, target] of objectivesOf(level)) {
        const outcomes = mine.map(OUTCOMES[objective]).reduce(addOutcomes, NONE);
        this.#budgetOf(group, objective).add(outcomes, clock.wall());
        for (const speed of SPEEDS) this.#judge(group, objective, target, speed);
      }
    }
    if (clock.now() - this.#savedAt >= SAVE_MS) this.#save();
  }

  #judge(group: string, objective: Objective, target: number, speed: BurnSpeed): void {
    const { clock, tell } = this.#tools;
    const key = burnKey(group, objective, speed);
    const budget = this.#budgetOf(group, objective);
    const burn = budget.burns(speed, target, clock.wall());
    if ((burn !== undefined) === this.#burning.has(key)) return;
    // Who was called already need not hear that it is also for this week.
    if (speed === "slow" && this.#burning.has(burnKey(group, objective, "fast"))) return;
    const left = leftText(budget.left(target, clock.wall()));
    const threshold = `${percent(target)} over 30 days`;
    const common = { group, objective, speed, threshold };
    if (burn === undefined) {
      this.#burning.delete(key);
      tell({ type: "slo-calm", ...common, observed: left, reason: left });
    } else {
      this.#burning.add(key);
      tell({
        type: "slo-burning",
        ...common,
        observed: burnText(burn),
        reason: `${burnText(burn)}; ${left}`,
      });
    }
  }

  #budgetOf(group: string, objective: Objective): ErrorBudget {
    const key = budgetKey(group, objective);
    const budget = this.#budgets.get(key) ?? new ErrorBudget();
    this.#budgets.set(key, budget);
    return budget;
  }

  #save(): void {
    this.#savedAt = this.#tools.clock.now();
    const at = this.#tools.clock.wall();
    // That of a group which is gone is kept until its last request is 30 days old.
    const filled = Array.from(this.#budgets).filter(([, budget]) => budget.period(at).all > 0);
    const budgets = filled.map(([key, { kept }]) => [key, kept] as const);
    this.#tools.file.save({ budgets: Object.fromEntries(budgets) });
  }
}

/** What a pool's traffic means for each objective. */
const OUTCOMES: Readonly<Record<Objective, (traffic: PoolTraffic) => Outcomes>> = {
  availability: ({ releases }) => {
    const { requests, failed } = countAnswers(releases);
    return { all: requests, bad: failed };
  },
  latency: ({ durations, slow }) => ({
    all: durations.reduce((sum, count) => sum + count, 0),
    bad: slow,
  }),
};

function budgetKey(group: string, objective: Objective): string {
  return `${group} ${objective}`;
}

function burnKey(group: string, objective: Objective, speed: BurnSpeed): string {
  return `${budgetKey(group, objective)} ${speed}`;
}

function burnText({ rate, limit, overMs, outcomes: { all, bad } }: Burn): string {
  const hours = overMs / 3_600_000;
  const over = hours === 1 ? "hour" : `${hours} hours`;
  return `burns ${Math.round(rate * 10) / 10} times as fast as the budget allows, above ${limit} (${bad} of ${all} requests in the last ${over})`;
}

function leftText(part: number): string {
  return part < 0
    ? "nothing of the error budget is left"
    : `${Math.floor(part * 100)} % of the error budget is left`;
}

function percent(part: number): string {
  return `${Math.round(part * 100_000) / 1_000} %`;
}
