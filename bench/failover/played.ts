import type { Result, Summary } from "../../demo/tally.ts";
import type { Arrival } from "../app/app-process.ts";
import type { AutocannonCount } from "../rig/autocannon.ts";
import type { PeerName } from "../rig/peer-description.ts";
import type { Scenario } from "./scenario.ts";

/** An act as it was played; times in milliseconds since the epoch. */
export interface PlayedAct {
  readonly label: string;
  readonly role: "fault" | "recovery" | "other";
  readonly began: number;
  /** When it was done: a server that starts takes its time. */
  readonly ended: number;
}

/** All that is known of one scenario with one peer. */
export interface Played {
  readonly scenario: Scenario;
  readonly peer: PeerName;
  /** When the load began, in milliseconds since the epoch. */
  readonly began: number;
  readonly acts: readonly PlayedAct[];
  readonly results: readonly Result[];
  readonly summary: Summary;
  /** By pool. */
  readonly arrivals: { readonly primary: readonly Arrival[]; readonly backup: readonly Arrival[] };
  readonly autocannon: AutocannonCount;
  /** Tunnels that were alive at the end; undefined where there were none. */
  readonly tunnelsAlive: number | undefined;
  /** The longest time, in milliseconds, for which this machine did not let the client run. */
  readonly stallMs: number;
  /** Ids of the requests of which the peer's own log says that bytes went to a server; Understudy's only. */
  readonly loggedAsSent: ReadonlySet<string>;
}
