import { type GroupEvent, isOfServer, step } from "../failover/group.ts";
import { knownBy, withFacts } from "../failover/group-facts.ts";
import type { GroupState } from "../failover/group-state.ts";
import { type GroupChange, Groups, type GroupStates } from "../failover/groups.ts";
import type { GroupSpec } from "../failover/spec.ts";
import type { EventNews, StateNews, WorkerNews } from "./messages.ts";

/**
 * The groups as a worker has them: the supervisor's state, and on top of it what happened here and is
 * not in it yet. So a server that fails is out at once for this worker, and a moment later for all.
 */
export class Replica implements GroupStates {
  readonly #groups: Groups;
  readonly #now: () => number;
  readonly #tell: (news: WorkerNews) => void;
  #specs = new Map<string, GroupSpec>();
  /** As the supervisor last told them. */
  #told = new Map<string, GroupState>();
  #version = 0;
  /** What the supervisor has not confirmed yet, in order. */
  #unseen: readonly EventNews[] = [];
  #lastN = 0;

  /** `now` gives monotonic milliseconds, the same in all processes. */
  constructor(now: () => number, tell: (news: WorkerNews) => void) {
    this.#groups = new Groups(now);
    this.#now = now;
    this.#tell = tell;
  }

  get(name: string): GroupState {
    return this.#groups.get(name);
  }

  subscribe(listener: (change: GroupChange) => void): () => void {
    return this.#groups.subscribe(listener);
  }

  apply(group: string, event: GroupEvent, seen?: GroupState): void {
    const before = this.#specs.has(group) ? this.get(group) : undefined;
    if (before === undefined || !isOfServer(event)) return;
    const server = (seen ?? before).servers[event.server]?.spec.key;
    this.#groups.apply(group, event, seen);
    // What changes nothing here changes nothing there: no need to tell.
    if (server === undefined || this.get(group) === before) return;
    const news = { n: ++this.#lastN, group, server, event };
    this.#unseen = [...this.#unseen, news];
    this.#tell({ type: "event", news });
  }

  /** The groups of another configuration, as `state` has them. */
  load(specs: readonly GroupSpec[], state: StateNews): void {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#told = new Map();
    this.#groups.load(specs);
    this.#take(state);
  }

  /** Of another configuration, while this worker drains, what it knows of is taken. */
  hear(state: StateNews): void {
    if (state.since === undefined || state.since === this.#version) this.#take(state);
    else this.#tell({ type: "behind" });
  }

  /** Asks for what was missed, and tells again what the supervisor has missed. */
  onBeat(version: number, seen: number): void {
    if (version !== this.#version) return this.#tell({ type: "behind" });
    // What the supervisor has heard without a change of its state was no news to it.
    if (this.#unseen.some(({ n }) => n <= seen)) this.#adopt(seen, Array.from(this.#told.keys()));
    for (const news of this.#unseen) this.#tell({ type: "event", news });
  }

  #take({ version, seen, groups }: StateNews): void {
    this.#version = version;
    for (const facts of groups) {
      const spec = this.#specs.get(facts.group);
      if (spec === undefined) continue;
      const known = this.#told.get(facts.group);
      const told = known === undefined ? withFacts(spec, facts) : knownBy(known, facts);
      this.#told.set(facts.group, told);
    }
    this.#adopt(
      seen,
      groups.map(({ group }) => group),
    );
  }

  #adopt(seen: number, groups: readonly string[]): void {
    this.#unseen = this.#unseen.filter(({ n }) => n > seen);
    this.#groups.adopt(groups.flatMap((name) => this.#withUnseen(name)));
  }

  #withUnseen(name: string): readonly GroupState[] {
    const told = this.#told.get(name);
    if (told === undefined) return [];
    const mine = this.#unseen.filter(({ group }) => group === name);
    return [mine.reduce((state, news) => this.#redo(state, news), told)];
  }

  #redo(state: GroupState, { server, event }: EventNews): GroupState {
    const index = state.servers.findIndex(({ spec }) => spec.key === server);
    if (index === -1 || !isOfServer(event)) return state;
    return step(state, { ...event, server: index }, this.#now()).state;
  }
}
