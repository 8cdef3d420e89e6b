import type { Alerts } from "../alert/alerts.ts";
import type { GroupState } from "../failover/group-state.ts";
import type { ServiceLevels } from "../slo/service-levels.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { ExchangeStory } from "../process/exchange-story.ts";
import type { WorkerFacts } from "../process/crew.ts";
import type { EventHistory, KeptEvent } from "./event-history.ts";
import type { Orders } from "./orders.ts";

/** Which configuration is in service. */
export interface ConfigIdentity {
  /** 1 for the one that the gateway started with; grows with each that takes its place. */
  readonly number: number;
  /** The first 12 hexadecimal digits of the SHA-256 of the file and the pages that it names. */
  readonly hash: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What a server has to do at the moment, over all workers, as of the last half second. */
export interface ServerLoad {
  readonly inFlight: number;
  readonly tunnels: number;
}

/** The last probe of a server. */
export interface LastProbe {
  /** When it had its result, and how long it took; monotonic milliseconds. */
  readonly at: number;
  readonly tookMs: number;
  /** Why it failed; undefined where it passed. */
  readonly failure: string | undefined;
}

/**
 * What an order came to. `lines` are for people: what changed, or every problem with its place; `facts` are for
 * scripts, in the API's words (snake_case, times with their unit).
 */
export type Outcome =
  | { readonly ok: true; readonly lines: readonly string[]; readonly facts?: Facts }
  | {
      readonly ok: false;
      /** `refused`: nothing was tried, for a reason that the operator can change; `rolled_back`: done and undone. */
      readonly kind: "failed" | "refused" | "unknown" | "rolled_back";
      readonly lines: readonly string[];
      readonly facts?: Facts;
    };

type Facts = Readonly<Record<string, unknown>>;

/** What an operator can see of a running gateway and order it to do; signals and the admin API ask it. */
export interface Control {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Where clients connect, ports as bound. */
  readonly addresses: readonly string[];
  readonly config: ConfigIdentity;
  /** What the attempts to reload came to so far, whoever asked for them. */
  readonly reloads: { readonly ok: number; readonly failed: number };
  /** Empty where everything is in one process. */
  readonly workers: readonly WorkerFacts[];
  /** Client connections open. */
  readonly connections: number;
  /** What clients met since the gateway started, as of the last half second. */
  readonly traffic: readonly PoolTraffic[];
  /** Milliseconds of service that are not in it, since the worker crashed before it told of them. */
  readonly uncountedMs: number;
  readonly groups: Iterable<GroupState>;
  /** True once it is told to stop. */
  readonly isStopping: boolean;
  loadOf(group: string, serverKey: string): ServerLoad;
  /** How many requests wait for a server, or for the door to open. */
  waitingOf(group: string): number;
  /** What the pool runs, as its servers told last, else as configured. */
  releaseOf(group: string, pool: string): string | undefined;
  /** Undefined where the server is not probed, or no probe has ended yet. */
  lastProbeOf(group: string, serverKey: string): LastProbe | undefined;
  /** The last exchanges that did not go well at once; oldest first. */
  stories(): Promise<readonly ExchangeStory[]>;
  /** Reads the configuration again; resolves when every worker serves by it, or none does. */
  reload(): Promise<Outcome>;
  /** New workers from the code on disk take the place of those that serve. */
  restart(): Promise<Outcome>;
  readonly orders: Orders;
  readonly alerts: Pick<Alerts, "active" | "channels" | "test">;
  readonly serviceLevels: Pick<ServiceLevels, "of">;
  readonly history: Pick<EventHistory, "all" | "behind" | "since">;
  /** Calls back for each event from now on; returns its end. */
  subscribe(listener: (event: KeptEvent) => void): () => void;
}
