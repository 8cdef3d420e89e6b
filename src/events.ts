import type { AttemptRecord } from "./failover/attempt.ts";
import type { ErrorCode } from "./errors.ts";

/** What a group can promise its clients: that requests succeed, that they are fast. */
export type Objective = "availability" | "latency";

/** How fast an error budget burns: `fast` wants somebody now, `slow` wants somebody this week. */
export type BurnSpeed = "fast" | "slow";

/** The closed list of things that happen to servers, pools, groups and the gateway itself. */
export type GatewayEvent =
  | {
      readonly type:
        | "server-suspect"
        | "server-down"
        | "server-up"
        | "server-unresolved"
        | "server-starting";
      readonly group: string;
      readonly pool: string;
      readonly server: string;
      /** In words and numbers: `refused the connection (1 of 1 strikes in 5 s)`. */
      readonly reason: string;
    }
  | {
      /** One that stands by: if it were needed now, it could not serve; or it could again. */
      readonly type: "pool-down" | "pool-up";
      readonly group: string;
      readonly pool: string;
      readonly reason: string;
    }
  | {
      readonly type: "failover" | "failback" | "switched";
      readonly group: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    }
  | {
      /** The time is up for what was bound to a pool, or one server, that an operator took out. */
      readonly type: "drained";
      readonly group: string;
      readonly pool: string;
      readonly server?: string;
      readonly reason: string;
    }
  | {
      /** What an operator put before a group, or took away; a hold ends by itself, too. */
      readonly type:
        | "held"
        | "resumed"
        | "maintenance-began"
        | "maintenance-ended"
        | "split-changed";
      readonly group: string;
      readonly reason: string;
    }
  | {
      /** `ready`: its first server serves. */
      readonly type: "standby-booting" | "standby-ready" | "standby-failed" | "standby-asleep";
      readonly group: string;
      readonly pool: string;
      readonly reason: string;
    }
  | {
      /** An operator's order to a server. */
      readonly type: "admin-changed";
      readonly group: string;
      readonly pool: string;
      readonly server: string;
      readonly reason: string;
    }
  | {
      /** A switch or a rollback: came to nothing, was proved by a request, was taken back. */
      readonly type: "switch-refused" | "switch-proved" | "rolled-back";
      readonly group: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
    }
  | {
      readonly type: "drill-began" | "drill-ended";
      readonly group: string;
      readonly reason: string;
    }
  | {
      /** By an order at run time. */
      readonly type: "group-created" | "group-changed" | "group-deleted";
      readonly group: string;
      readonly reason: string;
    }
  | {
      readonly type: "hook-ran" | "hook-failed";
      readonly hook: string;
      /** The event that it ran for. */
      readonly on: string;
      readonly group?: string;
      readonly reason: string;
    }
  | {
      /** Of the requests that a group's servers were sent lately, as `alerts` has its limits. */
      readonly type: "error-rate-high" | "error-rate-normal" | "latency-high" | "latency-normal";
      readonly group: string;
      /** `5 % failed (10 of the last 200 requests)`, `p99 is 1200 ms (300 requests)`. */
      readonly observed: string;
      readonly threshold: string;
      readonly reason: string;
    }
  | {
      /** A promise of a group is being broken too fast, or is not any more. */
      readonly type: "slo-burning" | "slo-calm";
      readonly group: string;
      readonly objective: Objective;
      readonly speed: BurnSpeed;
      /** `burns 20 times as fast as the budget allows, above 14.4 (...)`, `41 % of the error budget is left`. */
      readonly observed: string;
      /** `99.9 % over 30 days`. */
      readonly threshold: string;
      readonly reason: string;
    }
  | {
      /** A message that nobody took; `reason` names the channel. */
      readonly type: "alert-failed";
      readonly reason: string;
    }
  | {
      /** Orders do not outlive a restart, or those of before are unknown; or both are well again. */
      readonly type: "state-unreadable" | "state-unwritable" | "state-written";
      readonly reason: string;
    }
  | {
      readonly type: "all-down" | "group-recovered";
      readonly group: string;
      readonly reason: string;
    }
  | {
      readonly type: "reloaded" | "reload-rejected";
      /** Number and hash of the configuration that serves from now on. */
      readonly config: number;
      readonly hash: string;
      readonly reason: string;
    }
  | {
      readonly type: "worker-crashed" | "worker-crash-loop" | "worker-started";
      /** Its slot. */
      readonly worker: number;
      readonly reason: string;
    }
  | { readonly type: "restarted" | "restart-failed"; readonly reason: string };

/**
 * Who was the first to end a connection that had stopped being HTTP, or a stream: its `client` or
 * `server`, or the gateway after `timeouts.tunnel` (`idle`), after a switch (`drain`), because it
 * stops (`stop`), or because the server went down (`failed`).
 */
export type ClosedBy = "client" | "server" | "idle" | "drain" | "stop" | "failed";

/**
 * Whether an exchange met the server that its client was bound to: it did, the client was bound just
 * now, or that server is gone or failed.
 */
export type AffinityOutcome = "bound" | "new" | "lost";

/** The trace that an exchange belongs to, and its own span (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The span of whoever asks, 16 hex digits; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  readonly spanId: string;
  /** It is recorded. */
  readonly isSampled: boolean;
}

/** One client request and its answer, as it stands when its log line is due. */
export interface ExchangeRecord {
  /** Milliseconds since the epoch when the first byte of the request's head was read. */
  readonly startedAt: number;
  readonly requestTimeMs: number;
  readonly requestId: string;
  readonly traceId: string | undefined;
  /** Undefined where tracing is off. */
  readonly trace: TraceContext | undefined;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** `http` or `https`. */
  readonly scheme: string;
  /** The gateway's own port that took the request; 0 for a unix socket. */
  readonly localPort: number;
  /** Empty strings where no valid request head was read. */
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  readonly protocol: string;
  readonly host: string;
  /** Bytes read from the client for this exchange, head included. */
  readonly requestBytes: number;
  /** What the client was told, 499 where it left before it was told anything. */
  readonly status: number;
  /** Bytes written to the client, head included. */
  readonly sentBytes: number;
  readonly sentBodyBytes: number;
  readonly group: string | undefined;
  /** The pool that gave the answer: its `X-App-Pool`, else the configured name. */
  readonly pool: string | undefined;
  /** The release that gave the answer: its `X-Release-Id`, else the configured one. */
  readonly release: string | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Milliseconds that it waited for a server, or for the door of its group; 0 = it did not. */
  readonly heldMs: number;
  /** Undefined where the group binds nobody, or not by what it remembers. */
  readonly affinity: AffinityOutcome | undefined;
  /** Set where the gateway itself wrote the answer or cut it short. */
  readonly error: ErrorCode | undefined;
  /** The reason behind `error` in words; for the log only, it may name addresses. */
  readonly why: string | undefined;
  /** What the gateway itself ran short of: file descriptors, room for a temporary file. */
  readonly shortage: string | undefined;
  /** Undefined for an exchange that just ended. */
  readonly closedBy: ClosedBy | undefined;
  /** A field of the request by its lower-case name; repeated ones joined by `, `. */
  requestField(name: string): string | undefined;
  /** The same of the last server's answer. */
  answerField(name: string): string | undefined;
}
