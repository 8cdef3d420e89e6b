import type { Share } from "./group-orders.ts";
import type { Policy } from "./policy.ts";

/** How probes decide about a server; times in milliseconds. */
export interface ProbeRules {
  /** From the start of one probe to the start of the next. */
  readonly intervalMs: number;
  /** The same while the server is not plainly up. */
  readonly fastIntervalMs: number;
  /** By what part of itself such a pause may be shorter or longer; 0 to 0.5. */
  readonly jitter: number;
  /** Passes in a row that bring a server up. */
  readonly rise: number;
  /** Fails in a row that take it down. */
  readonly fall: number;
  /** True: it serves only once it has passed a probe. */
  readonly gate: boolean;
}

export interface ServerSpec {
  /** Identity within the group; survives reloads: `blue app_blue:3000`. */
  readonly key: string;
  readonly pool: string;
  /** As configured. */
  readonly url: string;
  /** `app_blue:3000`, `unix:/run/a.sock`. */
  readonly address: string;
  /** At least 1. */
  readonly weight: number;
  /** Strikes within `failTimeoutMs` that take the server out; 0 = never taken out. */
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  /** Exchanges at a time; 0 = no limit. */
  readonly maxConns: number;
  /** Configured out of service: in maintenance from the start. */
  readonly down: boolean;
  /** Undefined where no probes are configured. */
  readonly probe: ProbeRules | undefined;
}

/** How the servers of a pool share its requests. `key` is a variable: `$remote_addr`, `$http_x`. */
export type Balance =
  | { readonly kind: "round_robin" }
  | { readonly kind: "least_conn" }
  | { readonly kind: "hash"; readonly key: string };

export interface PoolSpec {
  readonly name: string;
  /** A cold standby: asleep until somebody starts it. */
  readonly cold: boolean;
  readonly servers: readonly ServerSpec[];
}

/** How connections that outlive a switch leave; milliseconds, 0 = at once. */
export interface DrainSpec {
  /** From the switch to the first goodbye. */
  readonly tunnelsMs: number;
  /** Over which the goodbyes are spread. */
  readonly spreadMs: number;
  /** From a goodbye to the end of its connection. */
  readonly graceMs: number;
}

export interface GroupSpec {
  readonly name: string;
  /** A pool's name; empty for a group without pools. */
  readonly primary: string;
  /** In order of preference, the primary first. */
  readonly pools: readonly PoolSpec[];
  readonly balance: Balance;
  readonly policy: Policy;
  readonly drain: DrainSpec;
  /** Parts of new clients by pool; empty = all go to the active one. */
  readonly split: readonly Share[];
}
