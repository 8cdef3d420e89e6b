import type { AutocannonCount } from "../rig/autocannon.ts";
import type { Machine } from "../rig/machine.ts";
import type { PeerName } from "../rig/peer-description.ts";
import type { Account } from "./account.ts";
import type { Series } from "./series.ts";

/** Everything that `npm run bench:failover` found out. */
export interface FailoverResult {
  readonly machine: Machine;
  readonly missing: readonly string[];
  readonly seconds: number;
  readonly scenarios: readonly ScenarioResult[];
  /** Promises of Understudy that did not hold. */
  readonly broken: readonly string[];
}

export interface ScenarioResult {
  readonly id: string;
  readonly title: string;
  readonly durationMs: number;
  readonly peers: readonly PeerResult[];
}

export type PeerResult =
  /** It cannot do what the scenario needs; `why` in two words. */
  | { readonly peer: PeerName; readonly played: false; readonly why: string }
  | {
      readonly peer: PeerName;
      readonly played: true;
      readonly account: Account;
      readonly autocannon: AutocannonCount;
      readonly tunnelsAlive: number | undefined;
      readonly series: Series;
    };
