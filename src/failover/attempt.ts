/** How far an attempt had come: looking up the name, dialling, TLS, writing the request, ... */
export type Phase = "resolve" | "connect" | "tls" | "send" | "head" | "body" | "upgrade";

/**
 * Why an attempt gave no usable answer. `refused` stands for every way of getting no connection
 * at once (also unreachable and not found), `status` for a listed status, `identity` for an answer
 * of another pool or release than expected, `aborted` for a client that left, `moved` for a rescue,
 * `local` for a lack of the gateway's own (no file descriptor, no memory).
 */
export type Cause =
  | "refused"
  | "timeout"
  | "reset"
  | "closed"
  | "malformed"
  | "truncated"
  | "status"
  | "identity"
  | "aborted"
  | "moved"
  | "local";

/** What became of an exchange after an attempt. */
export type Decision = "return" | "next" | "redial" | "rescue" | "hold";

/** One try of an exchange at one server: the one source for accounting, retry, log and metrics. */
export interface AttemptRecord {
  /** 1 for the first attempt of an exchange. */
  readonly n: number;
  /** Monotonic milliseconds when it began. */
  readonly startedAt: number;
  /** Of its span in a trace; undefined where it is not recorded. */
  readonly spanId: string | undefined;
  readonly pool: string;
  /** The release of the answer, else the configured one. */
  readonly release: string | undefined;
  /** The server as configured, `app_blue:3000`. */
  readonly server: string;
  /** The address that was dialled, `172.18.0.3:3000`; the server's name where none was reached. */
  readonly addr: string;
  /** True where the request went out on a kept-alive connection. */
  readonly reused: boolean;
  readonly phase: Phase;
  /** Undefined for an attempt that gave a usable answer. */
  readonly cause: Cause | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Milliseconds until the connection stood; undefined where it never did. */
  readonly connectMs: number | undefined;
  /** Milliseconds until the answer's head was read; undefined where it never was. */
  readonly headMs: number | undefined;
  readonly totalMs: number;
  /** The answer's status; else 502 or 504 as nginx logs it; undefined where the client left first. */
  readonly status: number | undefined;
  /** True where this attempt is a strike against the server. */
  readonly counted: boolean;
  readonly decision: Decision;
  /** The decision's reason in words, for the log. */
  readonly why: string;
}
