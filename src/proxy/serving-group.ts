import type { GroupConfig } from "../config/config.ts";
import type { ClosedBy } from "../events.ts";
import { chooseBound } from "../failover/bound.ts";
import { chooseServer, type Pick, type Seat, whyNone } from "../failover/choose.ts";
import { type Fate, fateOf } from "../failover/drain.ts";
import type { GroupEvent } from "../failover/group.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import type { Policy } from "../failover/policy.ts";
import { available, type ServerState } from "../failover/server.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { HeadLimits } from "../http1/limits.ts";
import { createAffinity } from "./affinity.ts";
import type { Affinity, Binding } from "./binding.ts";
import type { ProxyContext } from "./context.ts";
import { Endpoint } from "./endpoint.ts";
import type { ClientFacts } from "./exchange-notes.ts";
import { leaveSpread, type LongLived } from "./long-lived.ts";
import type { Roll } from "./roll.ts";

/** Milliseconds, enough for the caller to be through with what it does. */
const SOON_MS = 1;

const NONE_TRIED: readonly number[] = [];

/** What all groups of a site share. */
interface SiteRules {
  readonly answerLimits: HeadLimits;
  /** Are the `X-Forwarded-*` fields of this peer believed? */
  readonly isTrusted: (address: string) => boolean;
}

/** A group as the data path uses it: its configuration, its state as of now, its connections. */
export class ServingGroup {
  readonly config: GroupConfig;
  readonly context: ProxyContext;
  readonly answerLimits: HeadLimits;
  readonly isTrusted: (address: string) => boolean;
  readonly #groups: Groups;
  readonly #seats: readonly Seat[];
  readonly #endpoints: readonly Endpoint[];
  readonly #affinity: Affinity | undefined;
  readonly #unsubscribe: () => void;
  #state: GroupState;
  #isStopping = false;

  constructor(
    config: GroupConfig,
    groups: Groups,
    context: ProxyContext,
    { answerLimits, isTrusted }: SiteRules,
  ) {
    this.config = config;
    this.context = context;
    this.answerLimits = answerLimits;
    this.isTrusted = isTrusted;
    this.#groups = groups;
    this.#state = groups.get(config.name);
    this.#seats = this.#state.servers.map(() => createSeat());
    this.#endpoints = this.#state.servers.map(
      (server) => new Endpoint(server.spec, config.keepalive),
    );
    this.#affinity = createAffinity(config, this.#state.servers, context);
    this.#unsubscribe = groups.subscribe((change) => {
      if (change.group === config.name) this.#onChange(change.before, change.after);
    });
  }

  get policy(): Policy {
    return this.config.spec.policy;
  }

  get state(): GroupState {
    return this.#state;
  }

  seat(server: ServerState): Seat {
    return at(this.#seats, server.index);
  }

  endpoint(server: ServerState): Endpoint {
    return at(this.#endpoints, server.index);
  }

  choose(tried: readonly number[], drawKey: string): Pick | undefined {
    return chooseServer(this.#state, this.#seats, tried, drawKey, this.context.clock.now());
  }

  whyNone(tried: readonly number[]): string {
    return whyNone(this.#state, this.#seats, tried, this.context.clock.now());
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
    return chooseBound(this.#state, index, tried, this.context.clock.now());
  }

  keepsBound(index: number): boolean {
    return this.chooseBound(index, NONE_TRIED) !== undefined;
  }

  /** Name of the cookie that servers do not see. */
  get hiddenCookie(): string | undefined {
    return this.#affinity?.cookieName;
  }

  report(event: GroupEvent): void {
    this.#groups.apply(this.config.name, event, this.#state);
  }

  /**
   * A connection whose attempt began at `since` (monotonic ms) is long-lived from now on: it is told
   * when it has to go, which may be so already.
   */
  admit(server: ServerState, one: LongLived, since: number): void {
    const endpoint = this.endpoint(server);
    endpoint.longLived.add(one);
    if (this.#isStopping) one.leave("stop", SOON_MS);
    else if (endpoint.departedAt >= since) one.leave("drain", SOON_MS);
  }

  dismiss(server: ServerState, one: LongLived): void {
    this.endpoint(server).longLived.delete(one);
  }

  /** How many tunnels each server has, by its index. */
  get tunnels(): readonly number[] {
    return this.#endpoints.map(
      ({ longLived }) => longLived.list().filter(({ kind }) => kind === "tunnel").length,
    );
  }

  /** The gateway stops: long-lived connections leave within `spreadMs`, or within `drain.spread`. */
  stop(spreadMs: number): void {
    this.#isStopping = true;
    const withinMs = Math.min(spreadMs, this.config.spec.drain.spreadMs);
    for (const { longLived } of this.#endpoints) this.#letGo(longLived, "stop", withinMs);
  }

  /** Lets go of idle connections and of the state; exchanges in flight may end. */
  close(): void {
    this.#unsubscribe();
    for (const endpoint of this.#endpoints) {
      endpoint.retire();
      if (this.#isStopping) for (const one of endpoint.longLived.list()) one.destroy();
    }
  }

  #onChange(before: GroupState, after: GroupState): void {
    this.#state = after;
    const now = this.context.clock.now();
    for (const server of after.servers) {
      const was = before.servers[server.index];
      const isOut =
        was !== undefined &&
        available(was, this.policy, now) &&
        !available(server, this.policy, now);
      if (isOut) this.#onOut(server);
      this.#decide(fateOf(before, after, server), server);
    }
  }

  #decide(fate: Fate, server: ServerState): void {
    const endpoint = this.endpoint(server);
    const { longLived } = endpoint;
    switch (fate) {
      case "as-before":
        return;
      case "leave":
        endpoint.departedAt = this.context.clock.now();
        return this.#letGo(longLived, "drain", this.config.spec.drain.spreadMs);
      case "stay":
        for (const one of longLived.list()) one.stay();
        return;
      case "break":
        for (const one of longLived.list()) one.breakOff();
    }
  }

  #letGo(longLived: Roll<LongLived>, by: ClosedBy, spreadMs: number): void {
    leaveSpread(longLived.list(), by, spreadMs, this.context.random);
  }

  #onOut(server: ServerState): void {
    const endpoint = this.endpoint(server);
    endpoint.closeIdle();
    // What an operator takes out ends what it has begun.
    if (!this.policy.rescue || server.admin !== "ready") return;
    for (const waiting of endpoint.waiting.list()) waiting.rescue();
  }
}

function createSeat(): Seat {
  return { inFlight: 0, current: 0 };
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`no server ${index} in this group`);
  return item;
}
