import type { Action, ActionFacts, ActionResult } from "../action/action.ts";
import type { HookConfig } from "../config/config.ts";
import type { GatewayEvent } from "../events.ts";
import type { Groups } from "../failover/groups.ts";
import { failoverStatus } from "./group-view.ts";

/** How many events may wait for a hook; what comes then is told and dropped. */
const MOST_WAITING = 100;

export interface HooksTools {
  readonly groups: Groups;
  /** As the configuration in service has them. */
  readonly hooks: () => readonly HookConfig[];
  readonly act: (action: Action, facts: ActionFacts) => Promise<ActionResult>;
  readonly tell: (event: GatewayEvent) => void;
}

/** A switch that is about to be carried out. */
export interface Change {
  readonly group: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
}

/** Runs what the configuration wants run when something happens: one after the other for each hook, beside all traffic. */
export class Hooks {
  readonly #tools: HooksTools;
  /** The last of each hook's runs, and how many are to come. */
  readonly #queues = new Map<HookConfig, { last: Promise<void>; waiting: number }>();
  #isStopped = false;

  constructor(tools: HooksTools) {
    this.#tools = tools;
  }

  hear(event: GatewayEvent): void {
    if (this.#isStopped || event.type === "hook-ran" || event.type === "hook-failed") return;
    const group = "group" in event ? event.group : undefined;
    for (const hook of this.#hooksOn(event.type, group))
      this.#enqueue(hook, event.type, this.#factsOf(event));
  }

  /** Why a hook does not want it, or undefined. */
  async veto({ group, from, to, by }: Change): Promise<string | undefined> {
    const facts = { event: "before_switch", group, from, to, by, failover_status: "online" };
    for (const hook of this.#hooksOn("before_switch", group)) {
      const result = await this.#run(hook, "before_switch", facts);
      if (!result.ok) return `the hook ${nameOf(hook)} does not want it: ${result.reason}`;
    }
    return undefined;
  }

  stop(): void {
    this.#isStopped = true;
  }

  #hooksOn(type: string, group: string | undefined): readonly HookConfig[] {
    const isMeant = (hook: HookConfig): boolean =>
      hook.on.includes(type) && (hook.group === undefined || hook.group === group);
    return this.#tools.hooks().filter(isMeant);
  }

  #enqueue(hook: HookConfig, on: string, facts: ActionFacts): void {
    const queue = this.#queues.get(hook) ?? { last: Promise.resolve(), waiting: 0 };
    this.#queues.set(hook, queue);
    if (queue.waiting >= MOST_WAITING) {
      return this.#tellOf(hook, on, facts, {
        ok: false,
        reason: `${MOST_WAITING} events wait for it already`,
      });
    }
    queue.waiting += 1;
    queue.last = queue.last.then(async () => {
      if (!this.#isStopped) await this.#run(hook, on, facts);
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(hook);
    });
  }

  async #run(hook: HookConfig, on: string, facts: ActionFacts): Promise<ActionResult> {
    const result = await this.#tools.act(hook.action, facts);
    if (!this.#isStopped) this.#tellOf(hook, on, facts, result);
    return result;
  }

  #tellOf(hook: HookConfig, on: string, { group }: ActionFacts, result: ActionResult): void {
    this.#tools.tell({
      type: result.ok ? "hook-ran" : "hook-failed",
      hook: nameOf(hook),
      on,
      ...(group !== undefined && { group }),
      reason: result.ok ? result.output : result.reason,
    });
  }

  /** What is known of the event, and whether the pool that it is about serves. */
  #factsOf({ type, ...fields }: GatewayEvent): ActionFacts {
    const known = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)]],
    );
    const facts: Record<string, string> = { event: type, ...Object.fromEntries(known) };
    const pool = facts["pool"] ?? facts["to"];
    const state =
      facts["group"] === undefined ? undefined : this.#tools.groups.find(facts["group"]);
    if (pool === undefined || state === undefined) return facts;
    return { ...facts, failover_status: failoverStatus(state, pool) };
  }
}

/** What it does, as its configuration names it. */
function nameOf({ action }: HookConfig): string {
  switch (action.kind) {
    case "exec":
      return action.command[0] ?? "";
    case "webhook":
      // The rest of the address may be a secret.
      return new URL(action.url).origin;
    case "docker":
      return action.container;
  }
}
