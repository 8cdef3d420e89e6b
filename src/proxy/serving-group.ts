import type { GroupConfig } from "../config/config.ts";
import { chooseServer, type Pick, type Seat, whyNone } from "../failover/choose.ts";
import type { GroupEvent } from "../failover/group.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { Groups } from "../failover/groups.ts";
import type { Policy } from "../failover/policy.ts";
import { available, type ServerState } from "../failover/server.ts";
import type { HeadLimits } from "../http1/limits.ts";
import type { ProxyContext } from "./context.ts";
import { Endpoint } from "./endpoint.ts";

/** A group as the data path uses it: its configuration, its state as of now, its connections. */
export class ServingGroup {
  readonly config: GroupConfig;
  readonly context: ProxyContext;
  readonly answerLimits: HeadLimits;
  readonly #groups: Groups;
  readonly #seats: readonly Seat[];
  readonly #endpoints: readonly Endpoint[];
  readonly #unsubscribe: () => void;
  #state: GroupState;

  constructor(
    config: GroupConfig,
    groups: Groups,
    context: ProxyContext,
    answerLimits: HeadLimits,
  ) {
    this.config = config;
    this.context = context;
    this.answerLimits = answerLimits;
    this.#groups = groups;
    this.#state = groups.get(config.name);
    this.#seats = this.#state.servers.map(() => createSeat());
    this.#endpoints = this.#state.servers.map(
      (server) => new Endpoint(server.spec, config.keepalive),
    );
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

  choose(tried: readonly number[], hashKey: string): Pick | undefined {
    return chooseServer(this.#state, this.#seats, tried, hashKey, this.context.clock.now());
  }

  whyNone(tried: readonly number[]): string {
    return whyNone(this.#state, this.#seats, tried, this.context.clock.now());
  }

  report(event: GroupEvent): void {
    this.#groups.apply(this.config.name, event, this.#state);
  }

  /** Lets go of idle connections and of the state; exchanges in flight may end. */
  close(): void {
    this.#unsubscribe();
    for (const endpoint of this.#endpoints) endpoint.retire();
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

function createSeat(): Seat {
  return { inFlight: 0, current: 0 };
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`no server ${index} in this group`);
  return item;
}
