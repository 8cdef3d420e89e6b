import type { Machine } from "../rig/machine.ts";
import type { PeerName } from "../rig/peer-description.ts";
import type { Case } from "./cases.ts";
import type { Round } from "./measure.ts";
import type { Memory } from "./memory.ts";
import type { TunnelMemory } from "./tunnel-memory.ts";

/** Everything that `npm run bench` found out. */
export interface SteadyResult {
  readonly machine: Machine;
  readonly missing: readonly string[];
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
  /** The first case again, by autocannon. */
  readonly crossCheck: CaseResult | undefined;
  readonly memory: readonly { readonly peer: PeerName; readonly memory: Memory }[];
  readonly tunnels: readonly { readonly peer: PeerName; readonly memory: TunnelMemory }[];
}

export interface CaseResult {
  readonly case: Case;
  /** Without rounds where a peer cannot do this work: it has no upgrades. */
  readonly peers: readonly { readonly peer: PeerName; readonly rounds: readonly ComparedRound[] }[];
}

export interface ComparedRound extends Round {
  /** CPU per request by that of nginx's round beside it; undefined where nginx does not play. */
  readonly ratio: number | undefined;
}
