/** nginx's `proxy_next_upstream` names, plus `http_404` and friends, minus `off` (an empty set). */
export type Condition =
  | "error"
  | "timeout"
  | "invalid_header"
  | "http_403"
  | "http_404"
  | "http_429"
  | "http_500"
  | "http_502"
  | "http_503"
  | "http_504"
  | "non_idempotent";

/**
 * How a group fails over, every rule a named value. `compat: nginx` is nothing but another set of
 * these values, so each difference between the two is one line of this file.
 */
export interface Policy {
  /** Which failures move a request to the next server. */
  readonly nextUpstream: ReadonlySet<Condition>;
  /** Attempts in all; 0 = every server once. */
  readonly tries: number;
  /** Milliseconds after which no further attempt begins; 0 = none. */
  readonly nextUpstreamTimeoutMs: number;
  /** True: that time also cuts a running attempt (nginx looks at it between attempts only). */
  readonly cutRunning: boolean;
  /** `rfc9110`: GET HEAD OPTIONS TRACE PUT DELETE repeat; `nginx`: all but POST LOCK PATCH. */
  readonly repeatable: "rfc9110" | "nginx";
  /** A request with an `Idempotency-Key` repeats like a PUT. */
  readonly trustIdempotencyKey: boolean;
  /** A 503 with `Retry-After` is back-pressure: passed through, not counted. */
  readonly respectRetryAfter: boolean;
  /** `redial`: a stale kept-alive connection is dialled anew, uncounted; `count`: a failure. */
  readonly stale: "redial" | "count";
  /** A listed status is a strike also where the request may not be repeated. */
  readonly countEveryStatus: boolean;
  /** A listed 429 is a strike like the others; else it moves the request on, no more. */
  readonly countTooManyRequests: boolean;
  /** A body that breaks off or stalls after the head was passed on is a strike. */
  readonly countTruncated: boolean;
  /** With no server left: `real` = the last real answer; `nginx` = 502 once another was tried. */
  readonly lastAnswer: "real" | "nginx";
  /** The last server that stands goes down only when a background check fails too. */
  readonly keepLastStanding: boolean;
  /** Requests that wait on a server that goes down move on at once. */
  readonly rescue: boolean;
  /** A failure of an attempt that began before the server's last change of state is ignored. */
  readonly ignoreLateFailures: boolean;
  /** `sliding`: strikes within `fail_timeout`; `quiet_period`: nginx's, forgiven by a quiet spell. */
  readonly strikes: "sliding" | "quiet_period";
  /** Who finds out that a server is back: a check of the kind that failed, a connect, live traffic. */
  readonly recheck: "auto" | "connect" | "live";
  /** How the preferred pool takes over again once it can. */
  readonly failback: "auto" | "manual" | "never";
  /** Milliseconds between recovery and an automatic failback. */
  readonly holdDownMs: number;
  /** When a server that comes and goes is left out for a while. */
  readonly flap: FlapRules;
}

export interface FlapRules {
  /** Changes between serving and not within `withinMs` above which it is held down; 0 = never. */
  readonly changes: number;
  readonly withinMs: number;
  /** Milliseconds from its last fall. */
  readonly holdMs: number;
}

export const DEFAULT_POLICY: Policy = {
  nextUpstream: new Set(["error", "timeout", "invalid_header", "http_502", "http_503", "http_504"]),
  tries: 0,
  nextUpstreamTimeoutMs: 0,
  cutRunning: true,
  repeatable: "rfc9110",
  trustIdempotencyKey: false,
  respectRetryAfter: false,
  stale: "redial",
  countEveryStatus: true,
  countTooManyRequests: false,
  countTruncated: true,
  lastAnswer: "real",
  keepLastStanding: true,
  rescue: true,
  ignoreLateFailures: true,
  strikes: "sliding",
  recheck: "auto",
  failback: "auto",
  holdDownMs: 0,
  flap: { changes: 6, withinMs: 60_000, holdMs: 60_000 },
};

/** nginx 1.31's rules, as measured; times are finer than its whole seconds. */
export const NGINX_POLICY: Policy = {
  ...DEFAULT_POLICY,
  nextUpstream: new Set(["error", "timeout"]),
  cutRunning: false,
  repeatable: "nginx",
  stale: "count",
  countEveryStatus: false,
  countTooManyRequests: true,
  countTruncated: false,
  lastAnswer: "nginx",
  keepLastStanding: false,
  rescue: false,
  ignoreLateFailures: false,
  strikes: "quiet_period",
  recheck: "live",
  flap: { changes: 0, withinMs: 60_000, holdMs: 60_000 },
};
