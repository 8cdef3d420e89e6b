import type { ServerSpec } from "./spec.ts";
import type { Policy } from "./policy.ts";

/** What the operator wants of a server; nothing but the operator changes it. */
export type Admin = "ready" | "drain" | "maint";

/** What a server failed in: giving a connection, or answering on one. The check asks for the same. */
export type FailedIn = "connect" | "answer";

/**
 * What is known of a server. `up` serves. `suspect` serves too, but has strikes; where `checkAt` is
 * set it is the last one standing, and a check at that time decides whether it goes down. `down` is
 * out until a check passes or, with `recheck: live`, until a request may try it. `unresolved` has a
 * name without an address. `starting` has not passed its first probe, and may not serve before.
 *
 * Times are monotonic milliseconds, reasons are in words and numbers.
 */
export type Health =
  | { readonly status: "up"; readonly since: number; readonly reason: string }
  | {
      readonly status: "suspect";
      readonly since: number;
      readonly reason: string;
      readonly failedIn: FailedIn;
      readonly checkAt: number | undefined;
    }
  | {
      readonly status: "down";
      readonly since: number;
      readonly reason: string;
      readonly failedIn: FailedIn;
      /** When the next check is due; with `recheck: live`, after when the next trial may begin. */
      readonly checkAt: number;
      /** Checks failed so far; those made while the whole group was down do not count. */
      readonly checks: number;
      /** It came and went too often: nothing brings it up before, while another server serves. */
      readonly heldUntil: number | undefined;
    }
  | { readonly status: "starting"; readonly since: number; readonly reason: string }
  | {
      readonly status: "unresolved";
      readonly since: number;
      readonly reason: string;
      readonly checkAt: number;
    };

/** What probes found in a row since the server began or ceased to serve, as far as it counts. */
export interface ProbeTally {
  /** 0 to `rise`. */
  readonly passes: number;
  /** 0 to `fall`. */
  readonly fails: number;
}

export const NO_PROBES: ProbeTally = { passes: 0, fails: 0 };

export interface ServerState {
  /** Position in the group's flat list; seats go by it. */
  readonly index: number;
  readonly spec: ServerSpec;
  readonly admin: Admin;
  /** The same as a pool's, for a server that an operator took out; undefined while it is ready. */
  readonly drainUntil: number | undefined;
  readonly health: Health;
  /** When the strikes fell that still stand, oldest first; never more than `maxFails`. */
  readonly strikes: readonly number[];
  /** When a request was last sent as a trial since the last strike; undefined where none was. */
  readonly trialAt: number | undefined;
  readonly probes: ProbeTally;
  /** When it went down lately, oldest first; no more than decide whether it is held down. */
  readonly falls: readonly number[];
  /** Grows whenever the health changes between serving (up, suspect) and not (all others). */
  readonly generation: number;
}

/** The same server in another snapshot, wherever it stands there; undefined where it is not. */
export function counterpart(
  servers: readonly ServerState[],
  { index, spec: { key } }: ServerState,
): ServerState | undefined {
  const there = servers[index];
  return there?.spec.key === key ? there : servers.find(({ spec }) => spec.key === key);
}

/** Whether the server serves by what is known of it, whatever the time: ready, and up or suspect. */
export function isServing(server: ServerState): boolean {
  return server.admin === "ready" && isHealthy(server);
}

/** Whether the server answers by what is known of it, whatever the operator wants of it. */
export function isHealthy({ health }: ServerState): boolean {
  return health.status === "up" || health.status === "suspect";
}

/** Whether a request may be sent to the server at `now`. */
export function available(server: ServerState, policy: Policy, now: number): boolean {
  return isServing(server) || mayTry(server, policy, now);
}

/** Whether a request sent to this available server at `now` takes its one trial slot. */
export function isTrial(server: ServerState, policy: Policy, now: number): boolean {
  if (server.health.status === "down") return mayTry(server, policy, now);
  if (policy.strikes !== "quiet_period" || server.strikes.length === 0) return false;
  // nginx forgives after a quiet spell only by a success that began after it.
  return now - (server.trialAt ?? Math.max(...server.strikes)) > server.spec.failTimeoutMs;
}

/** Whether only a request can find out that this server is back. */
export function isTriedLive({ spec }: ServerState, policy: Policy): boolean {
  return policy.recheck === "live" && spec.probe === undefined;
}

function mayTry(server: ServerState, policy: Policy, now: number): boolean {
  const { admin, health } = server;
  return (
    admin === "ready" &&
    health.status === "down" &&
    now > health.checkAt &&
    isTriedLive(server, policy)
  );
}

/** Why the server serves or does not, in words: `app_blue:3000 refused the connection (...)`. */
export function describeServer({ spec, admin, health }: ServerState): string {
  switch (admin) {
    case "ready":
      return `${spec.address} ${health.reason}`;
    case "drain":
      return `${spec.address} is draining`;
    case "maint":
      return `${spec.address} is in maintenance`;
  }
}
