import type { Action } from "../action/action.ts";
import type { AlertsConfig } from "../alert/alerts.ts";
import type { GroupSpec, ProbeRules } from "../failover/spec.ts";
import type { Redaction } from "../observe/log-redaction.ts";
import type { ServiceLevel } from "../slo/service-level.ts";
import type { TracerConfig } from "../tracing/tracer.ts";
import type { Route } from "../routing/router.ts";

/** Where a socket listens: `0.0.0.0:8080`, `[::1]:8080`, `unix:/run/understudy.sock`. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Everything the gateway is told, checked, complete (no defaults left to fill) and immutable. */
export interface Config {
  readonly listen: readonly Address[];
  /** Where operators reach the gateway; undefined = nowhere. */
  readonly admin: AdminConfig | undefined;
  /** Processes that serve; `auto` = one for each core, 0 = all in one process. */
  readonly workers: "auto" | number;
  readonly accessLog: AccessLogConfig | undefined;
  readonly eventLog: { readonly file: string; readonly level: "debug" | "info" | "warn" | "error" };
  readonly limits: Limits;
  /** Milliseconds that exchanges in flight get to end after SIGTERM. */
  readonly shutdownTimeoutMs: number;
  /** Addresses and CIDR blocks whose `X-Forwarded-*` is believed and appended to. */
  readonly trustedProxies: readonly string[];
  /** Sends `X-Served-By` (pool and release) and `X-Gateway-Attempts` to clients. */
  readonly servedBy: boolean;
  /** Writes an access log line also when an upgrade begins. */
  readonly logUpgradeStart: boolean;
  readonly hooks: readonly HookConfig[];
  /** Undefined = no request is traced. */
  readonly tracing: TracerConfig | undefined;
  readonly alerts: AlertsConfig;
  /** Folder of the state file, as written; undefined = that of the configuration's file. */
  readonly stateDir: string | undefined;
  /** As written: relative to the configuration file. */
  readonly failoverStatusDir: string | undefined;
  readonly groups: readonly GroupConfig[];
}

export interface AdminConfig {
  readonly address: Address;
  /** SHA-256 of the token that requests need, in hexadecimal digits; undefined = none. */
  readonly tokenHash: string | undefined;
}

export interface AccessLogConfig {
  /** `stdout`, `stderr` or a path. */
  readonly file: string;
  /** A name of `LOG_FORMATS`, or an nginx-style template (presets are resolved to templates). */
  readonly format: string;
  /** Paths that are not logged, each with all below it. */
  readonly skip?: readonly string[] | undefined;
  /** The part of the exchanges that is logged, 0 to 1; undefined = all. */
  readonly sample?: number | undefined;
  readonly redact?: Redaction | undefined;
}

/** What a client may cost; sizes in bytes, times in milliseconds, 0 = no limit, but heads always have one. */
export interface Limits {
  /** Request line and fields together; 431 above. */
  readonly headBytes: number;
  /** Request target; 414 above. */
  readonly targetBytes: number;
  /** Number of fields; 431 above. */
  readonly fieldCount: number;
  /** From the first byte of a head to its last; 408 above. */
  readonly headTimeMs: number;
  /** Request body; 413 above. */
  readonly bodyBytes: number;
  /** Between two reads of a request body; 408 above. */
  readonly bodyIdleMs: number;
  /** Between two writes that a client takes in; the connection is cut above. */
  readonly sendIdleMs: number;
  /** A kept-alive client connection without a request. */
  readonly idleMs: number;
  readonly requestsPerConnection: number;
  /** Per address and worker; further ones get 503 and close. */
  readonly connections: number;
  /** How late the event loop may be, again and again, before new requests get 503. */
  readonly loopDelayMs: number;
  /** Head of a server's answer; `invalid_header` above. */
  readonly serverHeadBytes: number;
}

export interface GroupConfig {
  readonly name: string;
  readonly routes: readonly Route[];
  /** What `failover/` decides by: pools in order of preference, servers, policy, balance. */
  readonly spec: GroupSpec;
  readonly timeouts: Timeouts;
  /** Protocols that a client may upgrade to, in lower case. */
  readonly upgrade: ReadonlySet<string>;
  readonly affinity: AffinityConfig;
  readonly keepalive: { readonly maxIdle: number; readonly idleMs: number };
  readonly replay: { readonly memoryBytes: number; readonly limitBytes: number };
  readonly hold: HoldConfig;
  /** What it promises its clients; undefined = nothing. */
  readonly slo: ServiceLevel | undefined;
  /** Which requests go to another pool than the active one; the first that fits counts. */
  readonly rules: readonly PoolRule[];
  readonly maintenance: {
    readonly retryAfterMs: number;
    readonly page: { readonly type: string; readonly body: string } | undefined;
  };
  /** `preserve` the client's Host, or send the `server`'s own name. */
  readonly hostHeader: "preserve" | "server";
  /** Release per pool where the answer does not tell (`release:` of a pool). */
  readonly releases: ReadonlyMap<string, string>;
  /** An answer of another identity than this is a failure, by pool name. */
  readonly expect: ReadonlyMap<string, { readonly release?: string; readonly pool?: string }>;
  /** Cold standbys, by their pool. */
  readonly standbys: ReadonlyMap<string, StandbyConfig>;
  /** How the servers of a pool are probed, by its name; none for a pool without probes. */
  readonly health: ReadonlyMap<string, HealthConfig>;
  /** Bodies for the gateway's own answers, by status; read when the configuration is read. */
  readonly errorPages: ReadonlyMap<number, { readonly type: string; readonly body: string }>;
}

/** A header's name is in lower case; without a value any will do. */
export type PoolRule =
  | {
      readonly kind: "header" | "cookie";
      readonly name: string;
      readonly value?: string | undefined;
      readonly pool: string;
    }
  | { readonly kind: "clients"; readonly percent: number; readonly pool: string };

/** What runs when something happens. */
export interface HookConfig {
  /** Types of events, or `before_switch`. */
  readonly on: readonly string[];
  /** Undefined: for all groups, and for what is of none. */
  readonly group: string | undefined;
  readonly action: Action;
}

/** A pool that does not run until it is needed. */
export interface StandbyConfig {
  readonly start: Action;
  readonly stop: Action | undefined;
  /** Milliseconds from its start to the first probe that passes. */
  readonly bootMs: number;
  /** Milliseconds that it runs on once another pool serves again. */
  readonly stopAfterMs: number;
}

/** How requests wait that nobody can take yet. */
export interface HoldConfig {
  /** Also where no server is available; otherwise only where an operator holds the group. */
  readonly whenDown: boolean;
  /** Milliseconds that one may wait. */
  readonly maxMs: number;
  /** How many may, in each worker. */
  readonly requests: number;
}

/** The probes of a pool. */
export interface HealthConfig {
  readonly ask: ProbeAsk;
  /** Milliseconds for one probe as a whole. */
  readonly timeoutMs: number;
  /** When to probe and what follows; the servers' specs have them too. */
  readonly rules: ProbeRules;
}

/** What a probe asks a server, and what it has to find. */
export type ProbeAsk =
  | { readonly kind: "tcp" }
  /** A program and its arguments. */
  | { readonly kind: "exec"; readonly command: readonly string[] }
  | HttpProbe;

export interface HttpProbe {
  readonly kind: "http";
  readonly method: "GET" | "HEAD" | "OPTIONS" | "POST";
  readonly path: string;
  /** Undefined: the server's own name. */
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** One of these ranges, ends included. */
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
  /** Text that must occur in the body. */
  readonly body: string | undefined;
  /** By its path, `checks.db`; empty = the body may be anything. */
  readonly json: Readonly<Record<string, string | number | boolean | null>>;
  readonly release: string | undefined;
}

/** What keeps a client on one server; a header's name is in lower case. */
export type AffinityConfig =
  | { readonly kind: "none" | "ip" | "socketio" }
  | { readonly kind: "header"; readonly name: string }
  /** Without a secret it is signed with a key of this run. */
  | { readonly kind: "cookie"; readonly name: string; readonly secret: string | undefined };

/** Milliseconds; 0 = none. */
export interface Timeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
  readonly totalMs: number;
  readonly tunnelMs: number;
}
