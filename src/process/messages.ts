import type { Address, Config } from "../config/config.ts";
import type { GroupFacts } from "../failover/group-facts.ts";
import type { GroupEvent } from "../failover/group.ts";
import type { PoolTraffic } from "../observe/pool-traffic.ts";
import type { SessionEntry } from "../proxy/session-bindings.ts";
import type { ExchangeStory } from "./exchange-story.ts";
import type { ProofNews } from "./proof-news.ts";
import type { WorkerUse } from "./worker-use.ts";
import type { GroupWaits, ServerLoads } from "./service.ts";

/** Grows with every change of these messages: a worker of another one is not started. */
export const PROTOCOL = 6;

/** The state of groups at one moment, as the supervisor has it. */
export interface StateNews {
  /** Grows with every change of any group. */
  readonly version: number;
  /** What `groups` has changed since; undefined where it has all of them. */
  readonly since: number | undefined;
  /** The last event of this worker that is in it. */
  readonly seen: number;
  readonly groups: readonly GroupFacts[];
}

export interface SessionNews {
  readonly group: string;
  readonly sid: string;
  readonly server: string;
  readonly idleMs: number;
}

/** What a worker begins with. */
export interface WorkerStart {
  readonly config: Config;
  readonly state: StateNews;
  readonly cookieKey: Uint8Array;
  readonly sessions: readonly SessionEntry[];
}

/** What the supervisor asks of a worker; each is answered. */
export type Order =
  | { readonly type: "start"; readonly start: WorkerStart }
  /** Comes with a socket: accept from it. */
  | { readonly type: "take"; readonly id: string; readonly address: Address }
  | { readonly type: "leave"; readonly id: string }
  /** Make ready everything that can fail. */
  | { readonly type: "prepare"; readonly config: Config }
  | { readonly type: "commit"; readonly state: StateNews }
  | { readonly type: "abort" }
  | { readonly type: "learn"; readonly session: SessionNews }
  /** Answered, after a report, when everything that was sent before is done. */
  | { readonly type: "ping" }
  /** Another worker has taken over: end when everybody has left. */
  | { readonly type: "retire" }
  /** The gateway stops: end within `shutdown_timeout`. */
  | { readonly type: "stop" };

export type SupervisorNews =
  | { readonly type: "states"; readonly state: StateNews }
  /** Sent a few times a second: whoever has missed something finds out. */
  | { readonly type: "beat"; readonly version: number; readonly seen: number }
  | { readonly type: "reopen-logs" }
  /** Break what is left. */
  | { readonly type: "destroy" }
  /** End at once. */
  | { readonly type: "quit" };

export interface WorkerRequest {
  readonly type: "learn";
  readonly session: SessionNews;
}

/** An event that a worker has applied already. */
export interface EventNews {
  /** 1, 2, 3, ... */
  readonly n: number;
  readonly group: string;
  /** Key of the server that `event` is about. */
  readonly server: string;
  readonly event: GroupEvent;
}

export type WorkerNews =
  | { readonly type: "hello"; readonly protocol: number }
  | { readonly type: "event"; readonly news: EventNews }
  /** The state is not the one of the last beat. */
  | { readonly type: "behind" }
  | {
      readonly type: "report";
      readonly connections: number;
      readonly use: WorkerUse;
      readonly loads: ServerLoads;
      readonly waits: GroupWaits;
      /** What has changed of it since the last report. */
      readonly traffic: readonly PoolTraffic[];
      /** Those since the last report. */
      readonly stories: readonly ExchangeStory[];
    }
  | { readonly type: "proof"; readonly news: ProofNews }
  | {
      readonly type: "told";
      readonly level: "info" | "warn" | "error";
      readonly fields: object;
      readonly message: string;
    };
