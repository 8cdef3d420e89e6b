import type { GatewayEvent } from "../events.ts";
import type { GroupState } from "./group-state.ts";
import type { GroupSpec } from "./spec.ts";
import { createGroup, type GroupEvent, isOfServer, step } from "./group.ts";
import { changeEvents } from "./settle.ts";

export interface GroupChange {
  readonly group: string;
  /** The same as `after` for a group that is new. */
  readonly before: GroupState;
  readonly after: GroupState;
  readonly happened: readonly GatewayEvent[];
}

/**
 * The groups as they stand now, to who uses them. The `spec` in a group's states is the object that
 * its configuration in service has: by it a change is told from one that belongs to a reload.
 */
export interface GroupStates {
  /** Throws on an unknown name, which is a bug. */
  get(name: string): GroupState;
  /**
   * Lets an event happen. `seen` is the snapshot that the event's server index was read from: who
   * holds one across a reload must pass it. What became of a group or server that a reload took out
   * is of no interest any more.
   */
  apply(group: string, event: GroupEvent, seen?: GroupState): void;
  /** Calls back after each change, in the order of subscription; returns its end. */
  subscribe(listener: (change: GroupChange) => void): () => void;
}

/** All groups as they stand now: the one place where a group's state is replaced. */
export class Groups implements GroupStates, Iterable<GroupState> {
  readonly #clockNow: () => number;
  readonly #listeners = new Set<(change: GroupChange) => void>();
  #groups = new Map<string, GroupState>();
  readonly #untold: GroupChange[] = [];
  #isTelling = false;

  /** `clockNow` gives monotonic milliseconds. */
  constructor(clockNow: () => number) {
    this.#clockNow = clockNow;
  }

  /**
   * Start and reload. A group whose spec is the very object that it had is left alone, of a changed
   * one what outlives a reload is kept; groups no longer listed are forgotten without a word.
   */
  load(specs: readonly GroupSpec[]): void {
    const now = this.#clockNow();
    const before = this.#groups;
    this.#groups = new Map(
      specs.map((spec) => [spec.name, loaded(spec, now, before.get(spec.name))]),
    );
    for (const after of this.#groups.values()) {
      const known = before.get(after.spec.name) ?? after;
      if (known !== after || !before.has(after.spec.name)) {
        this.#tell(known, after, reloaded(known, after));
      }
    }
  }

  /**
   * Replaces groups by what somebody else made of them; those that are not loaded are passed over.
   * Each change is told as one in which nothing has happened: the other one has told.
   */
  adopt(states: readonly GroupState[]): void {
    const changed = states.flatMap((after) => {
      const before = this.#groups.get(after.spec.name);
      return before === undefined || before === after ? [] : [{ before, after }];
    });
    for (const { after } of changed) this.#groups.set(after.spec.name, after);
    for (const { before, after } of changed) this.#tell(before, after, []);
  }

  get(name: string): GroupState {
    const state = this.find(name);
    if (state === undefined) throw new Error(`no group "${name}"`);
    return state;
  }

  /** Undefined where no group has that name, or none has it any more. */
  find(name: string): GroupState | undefined {
    return this.#groups.get(name);
  }

  [Symbol.iterator](): Iterator<GroupState> {
    return this.#groups.values();
  }

  apply(group: string, event: GroupEvent, seen?: GroupState): void {
    const before = this.#groups.get(group);
    if (before === undefined) return;
    const current = seen === undefined ? event : reindexed(event, seen, before);
    if (current === undefined) return;
    const { state: after, happened } = step(before, current, this.#clockNow());
    if (after === before) return;
    this.#groups.set(group, after);
    this.#tell(before, after, happened);
  }

  /** The same of a server that is known by its key: by another process, over reloads. */
  applyTo(group: string, server: string, event: GroupEvent): void {
    const index = this.find(group)?.servers.findIndex(({ spec }) => spec.key === server);
    if (index === undefined || index === -1 || !isOfServer(event)) return;
    this.apply(group, { ...event, server: index });
  }

  subscribe(listener: (change: GroupChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A change that a listener makes is told after the present one, so that all see one order. */
  #tell(before: GroupState, after: GroupState, happened: readonly GatewayEvent[]): void {
    this.#untold.push({ group: after.spec.name, before, after, happened });
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
  if (!isOfServer(event)) return event;
  const key = seen.servers[event.server]?.spec.key;
  const server = now.servers.findIndex((one) => one.spec.key === key);
  return server === -1 ? undefined : { ...event, server };
}

function loaded(spec: GroupSpec, now: number, before: GroupState | undefined): GroupState {
  return before?.spec === spec ? before : createGroup(spec, now, before);
}

function reloaded(before: GroupState, after: GroupState): readonly GatewayEvent[] {
  const { active: from } = before;
  const { active: to, spec } = after;
  const changes = changeEvents(before, after);
  if (from === to) return changes;
  const reason = "the configuration was reloaded";
  return [...changes, { type: "switched", group: spec.name, from, to, reason }];
}
