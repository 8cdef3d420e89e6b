import type { Cancel, Clock } from "../clock.ts";
import { factsOf } from "../failover/group-facts.ts";
import type { Groups } from "../failover/groups.ts";
import type { EventNews, StateNews, SupervisorNews } from "./messages.ts";

/** Milliseconds for which changes are gathered, so that a storm of failures is no storm of messages. */
const GATHER_MS = 5;
/** Milliseconds between beats; whoever has missed something knows it after one. */
const BEAT_MS = 250;

/** One worker as the hub sees it. */
export class HubPeer {
  readonly #hub: StateHub;
  readonly tell: (news: SupervisorNews) => void;
  /** Number of the last event of this worker that was applied. */
  seen = 0;

  constructor(hub: StateHub, tell: (news: SupervisorNews) => void) {
    this.#hub = hub;
    this.tell = tell;
  }

  /** An event of this worker; one that was heard before changes nothing. */
  hear(news: EventNews): void {
    if (news.n !== this.seen + 1) return;
    this.seen = news.n;
    this.#hub.apply(news);
  }

  /** Everything, for a worker that begins or that has missed something. */
  get state(): StateNews {
    return this.#hub.stateFor(this);
  }

  leave(): void {
    this.#hub.dismiss(this);
  }
}

/**
 * Keeps all workers of one opinion. The supervisor's groups are the truth; each change of them gets a
 * number and goes to every worker as the facts that follow from it, so that the latest message alone
 * is enough, whatever became of those before.
 */
export class StateHub {
  readonly #groups: Groups;
  readonly #clock: Clock;
  readonly #peers = new Set<HubPeer>();
  readonly #changed = new Set<string>();
  readonly #unsubscribe: () => void;
  #version = 0;
  /** The version that workers were last told of. */
  #told = 0;
  #cancelFlush: Cancel | undefined;
  #cancelBeat: Cancel;

  constructor(groups: Groups, clock: Clock) {
    this.#groups = groups;
    this.#clock = clock;
    this.#unsubscribe = groups.subscribe(({ group }) => this.#onChange(group));
    this.#cancelBeat = this.#planBeat();
  }

  stop(): void {
    this.#unsubscribe();
    this.#cancelBeat();
    this.#cancelFlush?.();
    this.#peers.clear();
  }

  admit(tell: (news: SupervisorNews) => void): HubPeer {
    const peer = new HubPeer(this, tell);
    this.#peers.add(peer);
    return peer;
  }

  dismiss(peer: HubPeer): void {
    this.#peers.delete(peer);
  }

  /** The groups are those of another configuration from now on: each worker is told by its commit. */
  beginConfig(): void {
    this.#version += 1;
    this.#told = this.#version;
    this.#changed.clear();
  }

  apply({ group, server, event }: EventNews): void {
    this.#groups.applyTo(group, server, event);
  }

  stateFor(peer: HubPeer): StateNews {
    return this.#news(peer, Array.from(this.#groups, factsOf), undefined);
  }

  /** Tells everybody what has changed so far. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#changed.size === 0) return;
    const changed = Array.from(this.#groups).filter(({ spec }) => this.#changed.has(spec.name));
    this.#changed.clear();
    const facts = changed.map(factsOf);
    const since = this.#told;
    this.#told = this.#version;
    for (const peer of this.#peers) {
      peer.tell({ type: "states", state: this.#news(peer, facts, since) });
    }
  }

  #onChange(group: string): void {
    this.#version += 1;
    this.#changed.add(group);
    this.#cancelFlush ??= this.#clock.after(GATHER_MS, () => this.flush());
  }

  #news(peer: HubPeer, groups: StateNews["groups"], since: number | undefined): StateNews {
    return { version: this.#version, since, seen: peer.seen, groups };
  }

  #planBeat(): Cancel {
    return this.#clock.after(BEAT_MS, () => {
      this.flush();
      for (const { tell, seen } of this.#peers) tell({ type: "beat", version: this.#told, seen });
      this.#cancelBeat = this.#planBeat();
    });
  }
}
