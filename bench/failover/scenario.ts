import type { Peer } from "../rig/peer.ts";
import type { Apps } from "../rig/stage.ts";

export interface Stage {
  readonly apps: Apps;
  readonly peer: Peer;
}

/** Something that is done at its time, in seconds from the beginning of the load. */
export interface Act {
  readonly at: number;
  /** For the picture. */
  readonly label: string;
  /** `fault`: the primary is dead or lies from here; `recovery`: it is sound again. */
  readonly role: "fault" | "recovery" | "other";
  readonly play: (stage: Stage) => Promise<unknown> | void;
}

/** What Understudy owes its clients in a scenario; what it owes them in all is in promises.ts. */
export type Promised =
  /** No GET fails. */
  | "no-get-fails"
  /** And those caught waiting are moved on after one read timeout; no later one waits. */
  | "rescue"
  /** What fails got the app's own 503. */
  | "own-503"
  /** What fails had begun to be answered by the server that failed, and was cut, not bent. */
  | "cut"
  | "nothing";

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  readonly acts: readonly Act[];
  readonly promised: Promised;
  /** What a peer must be able to do while it runs: read its configuration again, replace its processes. */
  readonly needs: "reload" | "renew" | undefined;
  /** Tunnels that are open from the beginning and should be alive at the end. */
  readonly tunnels: number;
}
