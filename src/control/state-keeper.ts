import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../clock.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { GroupChange, Groups } from "../failover/groups.ts";
import { withOrders } from "../failover/kept-orders.ts";
import type { Moment } from "./group-view.ts";
import { keptOrders, savedGroup } from "./saved-group.ts";
import type { SavedGroup, StateStore } from "./state-store.ts";

export type LastSwitch = NonNullable<SavedGroup["lastSwitch"]>;

/** Whether a change would outlive a crash, else why not. */
type Kept = Awaited<ReturnType<StateStore["save"]>>;

interface KeeperTools {
  readonly clock: Clock;
  readonly groups: Groups;
  readonly store: StateStore;
}

/** Keeps what was ordered of groups in the store, whoever ordered it, and gives it back at a start. */
export class StateKeeper {
  readonly #tools: KeeperTools;

  /** The groups are those of the first configuration; from now on they are as they were when the gateway ended. */
  constructor(tools: KeeperTools) {
    this.#tools = tools;
    this.#restore();
    tools.groups.subscribe((change) => this.#onChange(change));
  }

  /** Resolves once all that was ordered so far would outlive a crash, or with why it would not. */
  kept(): Promise<Kept> {
    return this.#tools.store.save((saved) => saved);
  }

  lastSwitch(group: string): LastSwitch | undefined {
    return this.#tools.store.saved.groups[group]?.lastSwitch;
  }

  /** Undefined: there is nothing to undo. */
  noteSwitch(group: string, lastSwitch: LastSwitch | undefined): void {
    const state = this.#tools.groups.find(group);
    if (state !== undefined) this.#save(group, savedGroup(state, lastSwitch, this.#moment()));
  }

  /** Forgets groups that are gone. */
  follow(): void {
    const { groups, store } = this.#tools;
    const gone = Object.keys(store.saved.groups).filter((name) => groups.find(name) === undefined);
    for (const name of gone) this.#save(name, {});
  }

  #restore(): void {
    const { groups, store } = this.#tools;
    const { saved } = store;
    groups.adopt(
      Array.from(groups).flatMap((state) => {
        const kept = saved.groups[state.spec.name];
        return kept === undefined ? [] : [this.#restored(state, kept)];
      }),
    );
    for (const { spec } of Array.from(groups)) {
      for (const pool of saved.groups[spec.name]?.awake ?? []) {
        const reason = "it ran when the gateway ended";
        groups.apply(spec.name, { type: "standby-set", pool, standby: "booting", reason });
      }
    }
  }

  #restored(state: GroupState, saved: SavedGroup): GroupState {
    const at = this.#moment();
    return withOrders(state, keptOrders(state, saved, at), at.now);
  }

  #onChange({ group, before, after }: GroupChange): void {
    const known = this.#tools.store.saved.groups[group] ?? {};
    const saved = savedGroup(after, known.lastSwitch, this.#moment());
    // The same moment comes out a little different each time.
    const isSameDoor = before.orders.door === after.orders.door && known.door !== undefined;
    this.#save(group, isSameDoor ? { ...saved, door: known.door } : saved);
  }

  #save(group: string, next: SavedGroup): void {
    const { store } = this.#tools;
    if (isDeepStrictEqual(store.saved.groups[group] ?? {}, next)) return;
    // Whoever waits for it asks kept(); trouble is told as an event.
    void store.save((saved) => {
      const { [group]: _, ...others } = saved.groups;
      const isNothing = Object.keys(next).length === 0;
      return { ...saved, groups: isNothing ? others : { ...others, [group]: next } };
    });
  }

  #moment(): Moment {
    const { clock } = this.#tools;
    return { now: clock.now(), wall: clock.wall() };
  }
}
