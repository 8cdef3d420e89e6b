import type { GroupConfig } from "../config/config.ts";
import { chooseBound } from "../failover/bound.ts";
import { chooseServer, type Pick, type Seat, whyNone } from "../failover/choose.ts";
import { type Fate, fateOf, staysUntil } from "../failover/drain.ts";
import { factsOf, knownBy } from "../failover/group-facts.ts";
import type { GroupEvent } from "../failover/group.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { GroupStates } from "../failover/groups.ts";
import type { Policy } from "../failover/policy.ts";
import { available, counterpart, type ServerState } from "../failover/server.ts";
import type { ServerSpec } from "../failover/spec.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { HeadLimits } from "../http1/limits.ts";
import { createAffinity } from "./affinity.ts";
import type { Affinity, Binding } from "./binding.ts";
import type { ProxyContext } from "./context.ts";
import type { DepartedServers } from "./departed.ts";
import { Endpoint } from "./endpoint.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import type { LongLived } from "./long-lived.ts";
import { WaitingRoom } from "./waiting-room.ts";

const NONE_TRIED: readonly number[] = [];

/** What all groups of a site go by. */
export interface SiteRules {
  readonly answerLimits: HeadLimits;
  /** Are the `X-Forwarded-*` fields of this peer believed? */
  readonly isTrusted: (address: string) => boolean;
}

/** What all groups of all sites share. */
export interface SiteShared {
  readonly states: GroupStates;
  readonly context: ProxyContext;
  readonly departed: DepartedServers;
}

/** Who serves for a group now: known to all that have served for it, as their exchanges go on. */
interface Office {
  holder: ServingGroup | undefined;
  readonly room: WaitingRoom;
}

/**
 * A group as the data path uses it: its configuration, its state as of now, its connections. A reload
 * that changes the group has another one take over from it: the endpoints of the servers that are in
 * both belong to both, and what becomes of them is up to the new one. The exchanges that this one
 * began keep it. They choose among the servers of its configuration by what is known of them today.
 */
export class ServingGroup {
  readonly config: GroupConfig;
  readonly context: ProxyContext;
  readonly #states: GroupStates;
  readonly #departed: DepartedServers;
  readonly #office: Office;
  readonly #endpoints: readonly Endpoint[];
  readonly #seats: readonly Seat[];
  readonly #affinity: Affinity | undefined;
  readonly #unsubscribe: () => void;
  #rules: SiteRules;
  /** As of now; once another one has taken over, as of the last time that somebody asked. */
  #state: GroupState;
  /** The state of the one who took over from which that is. */
  #learntFrom: GroupState | undefined;

  /** `before`: the one that this one takes over from. */
  constructor(config: GroupConfig, shared: SiteShared, rules: SiteRules, before?: ServingGroup) {
    this.config = config;
    this.context = shared.context;
    this.#states = shared.states;
    this.#departed = shared.departed;
    this.#rules = rules;
    this.#state = shared.states.get(config.name);
    this.#endpoints = this.#state.servers.map(({ spec }) => this.#endpointFor(spec, before));
    this.#seats = this.#endpoints.map(({ seat }) => seat);
    this.#affinity = createAffinity(config, this.#state.servers, shared.context);
    this.#office =
      before === undefined ? { holder: this, room: new WaitingRoom() } : before.#office;
    this.#unsubscribe = this.#follow();
    if (before !== undefined) this.#takeOver(before);
  }

  get answerLimits(): HeadLimits {
    return this.#rules.answerLimits;
  }

  get isTrusted(): SiteRules["isTrusted"] {
    return this.#rules.isTrusted;
  }

  /** A site took over in which nothing but its rules has changed for this group. */
  goBy(rules: SiteRules): void {
    this.#rules = rules;
  }

  get policy(): Policy {
    return this.config.spec.policy;
  }

  get state(): GroupState {
    if (this.#office.holder !== this) this.#catchUp();
    return this.#state;
  }

  seat(server: ServerState): Seat {
    return at(this.#seats, server.index);
  }

  endpoint(server: ServerState): Endpoint {
    return at(this.#endpoints, server.index);
  }

  /** By the server's key; undefined where it is none of this group. */
  endpointOf(key: string): Endpoint | undefined {
    return this.#endpoints.find((endpoint) => endpoint.key === key);
  }

  /** `first`: the pool that is asked before all others. */
  choose(tried: readonly number[], drawKey: string, first?: string): Pick | undefined {
    return chooseServer(this.state, this.#seats, tried, drawKey, this.context.clock.now(), first);
  }

  /** Where requests wait that nobody can take; the same for all that serve for this group. */
  get room(): WaitingRoom {
    return this.#office.room;
  }

  whyNone(tried: readonly number[]): string {
    return whyNone(this.state, this.#seats, tried, this.context.clock.now());
  }

  /** What the request is bound to; undefined where the group knows no bindings. */
  bind(head: RequestHead, client: ClientFacts): Binding | undefined {
    return this.#affinity?.bind(head, client, this);
  }

  /** Only one server can answer the request, and that one is gone. */
  hasLost({ server, isExclusive }: Binding): boolean {
    return isExclusive && (server === undefined || !this.keepsBound(server));
  }

  /** The index of a server by its key; undefined where it is none of this group. */
  indexOf(key: string): number | undefined {
    return this.#state.servers.find(({ spec }) => spec.key === key)?.index;
  }

  /** The server that a request is bound to, where it may still go there. */
  chooseBound(index: number, tried: readonly number[]): Pick | undefined {
    return chooseBound(this.state, index, tried, this.context.clock.now());
  }

  keepsBound(index: number): boolean {
    return this.chooseBound(index, NONE_TRIED) !== undefined;
  }

  /** Name of the cookie that servers do not see. */
  get hiddenCookie(): string | undefined {
    return this.#affinity?.cookieName;
  }

  report(event: GroupEvent): void {
    this.#states.apply(this.config.name, event, this.#state);
  }

  /**
   * A connection whose attempt began at `since` (monotonic ms) is long-lived from now on: it is told
   * when it has to go, which may be so already.
   */
  admit(server: ServerState, one: LongLived, since: number): void {
    this.endpoint(server).longLived.admit(one, since, this.context.clock.now());
  }

  dismiss(server: ServerState, one: LongLived): void {
    this.endpoint(server).longLived.dismiss(one);
  }

  /** How many tunnels each server has, by its index. */
  get tunnels(): readonly number[] {
    return this.#endpoints.map(({ longLived }) => longLived.tunnels);
  }

  /** The gateway stops: long-lived connections leave within `spreadMs`, or within `drain.spread`. */
  stop(spreadMs: number): void {
    const withinMs = Math.min(spreadMs, this.config.spec.drain.spreadMs);
    for (const { longLived } of this.#endpoints) longLived.stop(withinMs, this.context.random);
  }

  /** Another process takes over: long-lived connections leave in the time that a drain gives them. */
  departInTime(): void {
    const { clock, random } = this.context;
    const { drain } = this.config.spec;
    for (const server of this.#state.servers) {
      const now = clock.now();
      const until = staysUntil(this.#state, server, now);
      this.endpoint(server).longLived.close(until, drain.spreadMs, now, random);
    }
  }

  /** Lets go of idle connections and of the state; exchanges in flight may end. */
  close(): void {
    this.#unsubscribe();
    for (const endpoint of this.#endpoints) {
      endpoint.retire();
      endpoint.longLived.destroy();
    }
  }

  /** The group is gone: its servers depart. */
  retire(): void {
    this.#stepDown(undefined);
  }

  #takeOver(before: ServingGroup): void {
    before.#stepDown(this);
    this.#onChange(before.#state, this.#state);
  }

  /** The servers that the next one has not depart. */
  #stepDown(next: ServingGroup | undefined): void {
    this.#unsubscribe();
    this.#office.holder = next;
    const { name, spec } = this.config;
    const now = this.context.clock.now();
    for (const server of this.#state.servers) {
      if (next?.indexOf(server.spec.key) !== undefined) continue;
      const until = staysUntil(this.#state, server, now);
      this.#departed.add(name, this.endpoint(server), spec.drain, until);
    }
  }

  /** The endpoint stays the same over reloads, whatever else is configured of its server. */
  #endpointFor(spec: ServerSpec, before: ServingGroup | undefined): Endpoint {
    const { name, keepalive } = this.config;
    const known = before?.endpointOf(spec.key) ?? this.#departed.takeBack(name, spec.key);
    if (known === undefined) return new Endpoint(spec, keepalive);
    known.serve(keepalive, this.context.clock.now());
    return known;
  }

  /** What the one who took over knows of the servers that both have. */
  #catchUp(): void {
    const now = this.#office.holder?.state;
    if (now === undefined || now === this.#learntFrom) return;
    this.#learntFrom = now;
    this.#state = knownBy(this.#state, factsOf(now));
  }

  /** Not within the constructor, whose closures would hold on to the one before, and it to its own. */
  #follow(): () => void {
    const { spec } = this.#state;
    return this.#states.subscribe(({ before, after }) => {
      // A change that a reload brings is for the one who takes over.
      if (after.spec === spec) this.#onChange(before, after);
    });
  }

  #onChange(before: GroupState, after: GroupState): void {
    this.#state = after;
    const now = this.context.clock.now();
    for (const server of after.servers) {
      const was = counterpart(before.servers, server);
      const isOut =
        was !== undefined &&
        available(was, this.policy, now) &&
        !available(server, this.policy, now);
      if (isOut) this.#onOut(server);
      this.#decide(fateOf(before, after, server), this.endpoint(server));
    }
    this.room.tellChange();
  }

  #decide(fate: Fate, { longLived }: Endpoint): void {
    const { clock, random } = this.context;
    switch (fate) {
      case "as-before":
        return;
      case "leave":
        return longLived.drain(this.config.spec.drain.spreadMs, clock.now(), random);
      case "stay":
        return longLived.stay();
      case "break":
        return longLived.breakOff();
    }
  }

  #onOut(server: ServerState): void {
    const endpoint = this.endpoint(server);
    endpoint.closeIdle();
    // What an operator takes out ends what it has begun.
    if (!this.policy.rescue || server.admin !== "ready") return;
    for (const waiting of endpoint.waiting.list()) waiting.rescue();
  }
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`no server ${index} in this group`);
  return item;
}
