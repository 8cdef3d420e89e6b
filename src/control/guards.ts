import type { Clock } from "../clock.ts";
import type { GroupState } from "../failover/group-state.ts";
import { type PoolTraffic, trafficSince } from "../observe/pool-traffic.ts";
import { guardVerdict, guardWords } from "./guard-verdict.ts";
import type { Guard } from "./orders.ts";
import { pauseFor } from "./pause-for.ts";
import { poolOf, whyNotServing } from "./switch-target.ts";
import type { TrafficHistory } from "./traffic-history.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 500;

export interface GuardTools {
  readonly clock: Clock;
  readonly history: TrafficHistory;
  readonly find: (group: string) => GroupState | undefined;
  /** The gateway stops. */
  readonly signal: AbortSignal;
}

export interface GuardedSwitch {
  readonly group: string;
  readonly to: string;
  readonly guard: Guard;
  /** What the pool before it served lately. */
  readonly before: PoolTraffic;
  /** Undoes the switch; false where somebody changes the group just now. */
  readonly takeBack: (reason: string) => Promise<boolean>;
}

/** How a guard ended: its time is up, the switch was taken back, another order took its place. */
export type GuardEnd =
  | { readonly kind: "passed"; readonly words: string }
  | { readonly kind: "taken-back"; readonly reason: string }
  | { readonly kind: "ended" };

/** Watches pools that have just taken over, one for each group. */
export class Guards {
  readonly #tools: GuardTools;
  readonly #running = new Map<string, AbortController>();

  constructor(tools: GuardTools) {
    this.#tools = tools;
  }

  /** An order of an operator counts more. */
  end(group: string): void {
    this.#running.get(group)?.abort();
    this.#running.delete(group);
  }

  /** Resolves when it has ended. */
  async watch(guarded: GuardedSwitch): Promise<GuardEnd> {
    const { group } = guarded;
    const aborter = new AbortController();
    this.#running.set(group, aborter);
    const end = await this.#watch(guarded, AbortSignal.any([aborter.signal, this.#tools.signal]));
    if (this.#running.get(group) === aborter) this.#running.delete(group);
    return end;
  }

  async #watch(guarded: GuardedSwitch, signal: AbortSignal): Promise<GuardEnd> {
    const { clock, history } = this.#tools;
    const { group, to, guard, before, takeBack } = guarded;
    const start = history.now(group, to);
    const until = clock.now() + guard.forMs;
    for (;;) {
      await pauseFor(clock, Math.min(LOOK_MS, Math.max(0, until - clock.now())), signal);
      if (signal.aborted) return { kind: "ended" };
      const seen = { now: trafficSince(history.now(group, to), start), before };
      const reason = this.#whyLost(guarded) ?? guardVerdict(guard, seen);
      if (reason !== undefined && (await takeBack(reason))) return { kind: "taken-back", reason };
      if (reason === undefined && clock.now() >= until) {
        return { kind: "passed", words: guardWords(seen) };
      }
    }
  }

  /** The pool went down, and another one took over from it. */
  #whyLost({ group, to }: GuardedSwitch): string | undefined {
    const state = this.#tools.find(group);
    const pool = state && poolOf(state, to);
    if (state === undefined || pool === undefined || state.active === to) return undefined;
    return whyNotServing(pool) ?? `${state.active} has taken over from ${to}`;
  }
}
