import type { GroupState } from "../failover/group-state.ts";
import type { ChangeTools } from "./change-group.ts";
import type { Control, Outcome } from "./control.ts";
import { type GuardEnd, Guards } from "./guards.ts";
import type { RollbackOrder, SwitchOrder } from "./orders.ts";
import { done, refused, unknownGroup, unknownPool, withKept } from "./outcomes.ts";
import type { ProofRequest } from "./proof-request.ts";
import type { Proof, Prover } from "./prover.ts";
import { setStandby, type StandbyTools } from "./standby-order.ts";
import type { LastSwitch } from "./state-keeper.ts";
import { isBootDue, isThere, keysOf, previewSwitch, refusalOf } from "./switch-preview.ts";
import { poolOf, whyNotServing } from "./switch-target.ts";
import type { TrafficHistory } from "./traffic-history.ts";
import { type IdleTools, leftInWords, waitIdle } from "./wait-idle.ts";

/** Milliseconds that a drain may take beyond the time that its group gives it. */
const SLACK_MS = 5_000;

export interface SwitchTools
  extends ChangeTools, IdleTools, StandbyTools, Pick<Control, "releaseOf"> {
  readonly history: TrafficHistory;
  readonly prover: Prover;
  /** How a pool is asked through the public door; undefined where no request leads to its group. */
  readonly proofOf: (group: string, pool: string) => ProofRequest | undefined;
  /** Why somebody whose word counts does not want it (a hook), or undefined. */
  readonly veto: (change: {
    readonly group: string;
    readonly from: string;
    readonly to: string;
    readonly by: string;
  }) => Promise<string | undefined>;
}

interface Plan extends SwitchOrder {
  readonly group: string;
  readonly what: "switch" | "rollback";
}

/** As a group was before a switch. */
export interface Before {
  readonly state: GroupState;
  readonly lastSwitch: LastSwitch | undefined;
}

/** A switch that is done, and acknowledged as soon as nobody waits for more. */
interface Switched {
  readonly outcome: Outcome;
  readonly from: string;
  readonly guard: Promise<GuardEnd> | undefined;
}

/** Makes another pool the one that serves. */
export class Switches {
  readonly #tools: SwitchTools;
  readonly #guards: Guards;

  constructor(tools: SwitchTools) {
    this.#tools = tools;
    const { clock, history, signal, groups } = tools;
    this.#guards = new Guards({ clock, history, signal, find: (name) => groups.find(name) });
  }

  async switchTo(group: string, order: SwitchOrder): Promise<Outcome> {
    const { groups } = this.#tools;
    const state = groups.find(group);
    if (state === undefined) return unknownGroup(groups, group);
    if (poolOf(state, order.to) === undefined) return unknownPool(state, order.to);
    if (order.dryRun) return previewSwitch(this.#tools, state, order);
    return await this.#carryOut({ ...order, group, what: "switch" });
  }

  async rollback(group: string, order: RollbackOrder): Promise<Outcome> {
    const { groups, keeper } = this.#tools;
    const state = groups.find(group);
    if (state === undefined) return unknownGroup(groups, group);
    const last = keeper.lastSwitch(group);
    if (last === undefined) return refused(`${group} has no switch that could be rolled back`);
    const { from: to } = last;
    if (poolOf(state, to) === undefined) {
      return refused(`the last switch of ${group} was from ${to}, which is gone`);
    }
    const more = { dryRun: false, ifActive: undefined, guard: undefined };
    return await this.#carryOut({ ...order, ...more, to, group, what: "rollback" });
  }

  /** For restore(). */
  before(group: string): Before | undefined {
    const { groups, keeper } = this.#tools;
    const state = groups.find(group);
    return state && { state, lastSwitch: keeper.lastSwitch(group) };
  }

  /** The group as it was before a switch, its split and what rollback() undoes included; no hook is asked. */
  restore(group: string, before: Before, by: string, why: string): Promise<Outcome> {
    const { active: to } = before.state;
    return this.#tools.lock.run(group, { by, what: `back to ${to}` }, async () => {
      const from = this.#tools.groups.find(group)?.active ?? "";
      const kept = await this.#takeBack(group, before, why);
      const lost = this.#whyNotActive(group, to);
      const proof = lost === undefined ? await this.#prove(group, from, to) : undefined;
      const doubt = lost ?? (proof?.ok === false ? proof.reason : undefined);
      if (doubt === undefined) return withKept(done([]), kept);
      const line = `${to} is the primary of ${group} again, but does not serve: ${doubt}`;
      return withKept({ ok: false, kind: "failed", lines: [line] }, kept);
    });
  }

  /** An order of another kind that decides which pool serves. */
  endGuard(group: string): void {
    this.#guards.end(group);
  }

  #carryOut(plan: Plan): Promise<Outcome> {
    const state = this.#tools.groups.find(plan.group);
    const isDue = state !== undefined && isBootDue(state, plan);
    return isDue ? this.#wakeFirst(plan) : this.#carryOutNow(plan);
  }

  /** Nobody is kept from other orders while a cold standby boots. */
  async #wakeFirst(plan: Plan): Promise<Outcome> {
    const { group, to: pool, by } = plan;
    const order = { by: `${by} (${plan.what})`, pool, action: "start", force: false } as const;
    const woken = await setStandby(this.#tools, group, order);
    if (!woken.ok) return woken;
    const outcome = await this.#carryOutNow(plan);
    return { ...outcome, lines: [...woken.lines, ...outcome.lines] };
  }

  async #carryOutNow(plan: Plan): Promise<Outcome> {
    const { group, by, what, to } = plan;
    const made: { switched?: Switched } = {};
    const outcome = await this.#tools.lock.run(
      group,
      { by, what: `${what} to ${to}` },
      async () => {
        const result = await this.#change(plan);
        if ("ok" in result) return result;
        made.switched = result;
        return result.outcome;
      },
    );
    const { switched } = made;
    if (switched === undefined || !plan.wait || !outcome.ok) return outcome;
    return await this.#followUp(plan, switched);
  }

  async #change(plan: Plan): Promise<Outcome | Switched> {
    const { groups, keeper } = this.#tools;
    const { group, to } = plan;
    const state = groups.find(group);
    if (state === undefined) return unknownGroup(groups, group);
    const from = state.active;
    const refusal = refusalOf(state, plan) ?? (await this.#veto(plan, from));
    if (refusal !== undefined) return this.#refuse(plan, from, refusal);
    this.#guards.end(group);
    if (isThere(state, to)) return done([`${to} serves ${group} already`], { group, from, to });
    return await this.#move(plan, { state, lastSwitch: keeper.lastSwitch(group) });
  }

  /** Where the operator insists, nobody is asked; nor on the way back, which mends something. */
  async #veto({ group, to, by, force, what }: Plan, from: string): Promise<string | undefined> {
    if (force || what === "rollback") return undefined;
    return await this.#tools.veto({ group, from, to, by });
  }

  #refuse({ group, to, by }: Plan, from: string, reason: string): Outcome {
    const words = `${reason} (ordered by ${by})`;
    this.#tools.tell({ type: "switch-refused", group, from, to, reason: words });
    return refused(`${group} is not switched to ${to}: ${reason}`, { group, from, to });
  }

  /** From here on every worker hears of it, and clients may. */
  async #move(plan: Plan, before: Before): Promise<Outcome | Switched> {
    const { clock, groups, keeper, history, settled } = this.#tools;
    const { group, to, by, what, force } = plan;
    const { active: from } = before.state;
    const began = clock.now();
    const lately = history.lately(group, from);
    const lastSwitch = { from, to, at: clock.wall(), by };
    keeper.noteSwitch(group, what === "rollback" ? undefined : lastSwitch);
    const order = what === "rollback" ? "rolled back" : "switched";
    groups.apply(group, { type: "switched", to, reason: `${order} by ${by}` });
    await settled();
    const settleMs = since(clock.now(), began);
    const lost = this.#whyNotActive(group, to);
    const proof = lost === undefined ? await this.#prove(group, from, to) : undefined;
    const doubt = lost ?? (proof?.ok === false ? proof.reason : undefined);
    if (doubt !== undefined && !force) return await this.#fail(plan, before, doubt);
    const kept = await keeper.kept();
    const facts = {
      group,
      from,
      to,
      settle_ms: settleMs,
      proof: proof?.ok === true ? proofFacts(to, proof) : null,
      switch_ms: since(clock.now(), began),
    };
    if (lost !== undefined) return withKept(notServing(plan, lost, facts), kept);
    const lines = [
      `${to} serves ${group}; every worker knows since ${settleMs} ms`,
      proofLine(proof),
      `${what} took ${facts.switch_ms} ms`,
    ];
    const guard = plan.guard === undefined ? undefined : this.#guard(plan, before, lately);
    return { outcome: withKept(done(lines, facts), kept), from, guard };
  }

  /** Undefined where it is. */
  #whyNotActive(group: string, to: string): string | undefined {
    const state = this.#tools.groups.find(group);
    const pool = state && poolOf(state, to);
    if (state === undefined || pool === undefined) return `${group} has no ${to} any more`;
    if (state.active === to) return undefined;
    return whyNotServing(pool) ?? `${state.active} has taken over from it`;
  }

  /** Undefined where no request would show it. */
  async #prove(group: string, from: string, pool: string): Promise<Proof | undefined> {
    const { groups, proofOf, prover, tell } = this.#tools;
    const request = proofOf(group, pool);
    if (request === undefined || groups.find(group)?.orders.door.kind !== "open") return undefined;
    const proof = await prover.prove(pool, request);
    if (!proof.ok) return proof;
    const reason = `${proof.words} in ${proof.ms} ms`;
    tell({ type: "switch-proved", group, from, to: pool, reason });
    return proof;
  }

  async #fail(plan: Plan, before: Before, why: string): Promise<Outcome> {
    const { group, to } = plan;
    const { active: from } = before.state;
    const kept = await this.#takeBack(group, before, why);
    const line = `${group} was switched to ${to}, and back to ${from}: ${why}`;
    const facts = { group, from, to, reason: why };
    return withKept({ ok: false, kind: "rolled_back", lines: [line], facts }, kept);
  }

  /** The group as it was before the switch; resolves when every worker goes by it. */
  async #takeBack(group: string, { state, lastSwitch }: Before, why: string) {
    const { groups, keeper, settled, tell } = this.#tools;
    const { active, primary, orders } = state;
    const now = groups.find(group);
    const reason = `taken back: ${why}`;
    if (now !== undefined && poolOf(now, active) && poolOf(now, primary)) {
      keeper.noteSwitch(group, lastSwitch);
      groups.apply(group, { type: "switched", to: active, primary, reason });
      if (groups.find(group)?.orders.split !== orders.split) {
        groups.apply(group, { type: "split-set", split: orders.split, reason });
      }
      tell({ type: "rolled-back", group, from: now.primary, to: active, reason: why });
    }
    await settled();
    return await keeper.kept();
  }

  /** Watches on, whoever waits for it. */
  async #guard(
    { group, to, guard }: Plan,
    before: Before,
    lately: ReturnType<TrafficHistory["lately"]>,
  ): Promise<GuardEnd> {
    if (guard === undefined) return { kind: "ended" };
    const { lock, tell } = this.#tools;
    const from = before.state.active;
    const takeBack = async (why: string): Promise<boolean> => {
      const holder = { by: `the guard of ${to}`, what: `back to ${from}` };
      const outcome = await lock.run(group, holder, async () => {
        await this.#takeBack(group, before, why);
        return done([]);
      });
      return outcome.ok;
    };
    const end = await this.#guards.watch({ group, to, guard, before: lately, takeBack });
    if (end.kind === "passed") {
      const reason = `guarded for ${guard.forMs / 1000} s: ${end.words}`;
      tell({ type: "switch-proved", group, from, to, reason });
    }
    return end;
  }

  /** Until nobody is left on the pool that served before, and the guard has ended. */
  async #followUp(plan: Plan, { outcome, from, guard }: Switched): Promise<Outcome> {
    const [drain, end] = await Promise.all([this.#drain(plan.group, from), guard]);
    const facts = { ...outcome.facts, ...drain.facts };
    const lines = [...outcome.lines, drain.line];
    if (end?.kind === "taken-back") {
      const back = `${plan.group} is back at ${from}: ${end.reason}`;
      return { ok: false, kind: "rolled_back", lines: [...lines, back], facts };
    }
    const passed = end?.kind === "passed" ? [`the guard saw nothing wrong: ${end.words}`] : [];
    return { ...outcome, lines: [...lines, ...passed], facts };
  }

  async #drain(group: string, pool: string) {
    const state = this.#tools.groups.find(group);
    if (state === undefined) return { line: `${group} is gone`, facts: {} };
    const { tunnelsMs, spreadMs, graceMs } = state.spec.drain;
    const isOut = (): boolean => this.#tools.groups.find(group)?.active !== pool;
    const { ms, left } = await waitIdle(this.#tools, {
      group,
      keys: keysOf(state, pool),
      limitMs: tunnelsMs + spreadMs + graceMs + SLACK_MS,
      isOut,
    });
    const isDrained = left.inFlight + left.tunnels === 0;
    const after = isOut() ? `left after ${ms} ms` : "on it: it serves again";
    const line = isDrained
      ? `${pool} drained in ${ms} ms`
      : `${pool} has ${leftInWords(left)} ${after}`;
    const facts = { in_flight: left.inFlight, tunnels: left.tunnels };
    return { line, facts: { drain_ms: ms, drained: isDrained, left: facts } };
  }
}

/** It was insisted on, and what can be done is done. */
function notServing({ group, to }: Plan, lost: string, facts: object): Outcome {
  const line = `${to} is the primary of ${group}, but does not serve: ${lost}`;
  return { ok: false, kind: "failed", lines: [line], facts: { ...facts } };
}

function proofLine(proof: Proof | undefined): string {
  if (proof === undefined) return "not proved by a request: none gets through to a server";
  if (!proof.ok) return `forced, although not proved: ${proof.reason}`;
  return `proved in ${proof.ms} ms: ${proof.words}`;
}

function proofFacts(pool: string, { release, status, ms }: Extract<Proof, { ok: true }>) {
  return { pool, ...(release !== undefined && { release }), status, ms };
}

/** In milliseconds with one decimal. */
function since(now: number, began: number): number {
  return Math.round((now - began) * 10) / 10;
}
