import type { GatewayEvent } from "../events.ts";
import type { GroupEvent } from "./group.ts";
import type { GroupState } from "./group-state.ts";
import type { GroupSpec } from "./spec.ts";
import { createGroup, step } from "./group.ts";

export interface GroupChange {
  readonly group: string;
  /** The same as `after` for a group that is new. */
  readonly before: GroupState;
  readonly after: GroupState;
  readonly happened: readonly GatewayEvent[];
}

/** All groups as they stand now: the one place where a group's state is replaced. */
export class Groups {
  readonly #clockNow: () => number;
  readonly #listeners = new Set<(change: GroupChange) => void>();
  #groups = new Map<string, GroupState>();
  readonly #untold: GroupChange[] = [];
  #isTelling = false;

  /** `clockNow` gives monotonic milliseconds. */
  constructor(clockNow: () => number) {
    this.#clockNow = clockNow;
  }

  /** Start and reload. What outlives a reload is kept; groups no longer listed are forgotten. */
  load(specs: readonly GroupSpec[]): void {
    const now = this.#clockNow();
    const before = this.#groups;
    this.#groups = new Map(
      specs.map((spec) => [spec.name, createGroup(spec, now, before.get(spec.name))]),
    );
    for (const after of this.#groups.values()) {
      const group = after.spec.name;
      const known = before.get(group) ?? after;
      this.#tell({ group, before: known, after, happened: reloaded(known, after) });
    }
  }

  /** Throws on an unknown name, which is a bug. */
  get(name: string): GroupState {
    const state = this.#groups.get(name);
    if (state === undefined) throw new Error(`no group "${name}"`);
    return state;
  }

  all(): Iterable<GroupState> {
    return this.#groups.values();
  }

  /**
   * Lets an event happen. `seen` is the snapshot that the event's server index was read from: who
   * holds one across a reload must pass it. What became of a group or server that a reload took out
   * is of no interest any more.
   */
  apply(group: string, event: GroupEvent, seen?: GroupState): void {
    const before = this.#groups.get(group);
    if (before === undefined) return;
    const current = seen === undefined ? event : reindexed(event, seen, before);
    if (current === undefined) return;
    const { state: after, happened } = step(before, current, this.#clockNow());
    if (after === before) return;
    this.#groups.set(group, after);
    this.#tell({ group, before, after, happened });
  }

  /** Calls back after each change, in the order of subscription; returns its end. */
  subscribe(listener: (change: GroupChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A change that a listener makes is told after the present one, so that all see one order. */
  #tell(change: GroupChange): void {
    this.#untold.push(change);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const listener of this.#listeners) listener(next);
      }
    } finally {
      this.#isTelling = false;
    }
  }
}

/** The event with its server's index of today, or undefined where that server is gone. */
function reindexed(event: GroupEvent, seen: GroupState, now: GroupState): GroupEvent | undefined {
  if (event.type === "switched" || event.type === "time-passed") return event;
  const key = seen.servers[event.server]?.spec.key;
  const server = now.servers.findIndex((one) => one.spec.key === key);
  return server === -1 ? undefined : { ...event, server };
}

function reloaded(before: GroupState, after: GroupState): readonly GatewayEvent[] {
  const { active: from } = before;
  const { active: to, spec } = after;
  if (from === to) return [];
  return [
    { type: "switched", group: spec.name, from, to, reason: "the configuration was reloaded" },
  ];
}
