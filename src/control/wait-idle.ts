import type { Clock } from "../clock.ts";
import type { ServerLoad } from "./control.ts";
import { pauseFor } from "./pause-for.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 100;

export interface IdleTools {
  readonly clock: Clock;
  /** Resolves when loads are those of a moment since. */
  readonly settled: () => Promise<void>;
  readonly loadOf: (group: string, serverKey: string) => ServerLoad;
  /** The gateway stops. */
  readonly signal: AbortSignal;
}

export interface Wait {
  readonly group: string;
  /** Of the servers that are to be left alone. */
  readonly keys: readonly string[];
  readonly limitMs: number;
  /** False: they serve again, so that nobody waits any more. */
  readonly isOut: () => boolean;
}

export interface Waited {
  readonly ms: number;
  /** Who is still there. */
  readonly left: ServerLoad;
}

/** Waits until nobody is left on these servers, for as long as they get. */
export async function waitIdle(tools: IdleTools, wait: Wait): Promise<Waited> {
  const { clock, settled, signal } = tools;
  const began = clock.now();
  for (;;) {
    await settled();
    const ms = Math.round(clock.now() - began);
    const left = loadOfAll(tools, wait);
    const isOver = left.inFlight + left.tunnels === 0 || ms >= wait.limitMs || signal.aborted;
    if (isOver || !wait.isOut()) return { ms, left };
    await pauseFor(clock, LOOK_MS, signal);
  }
}

/** Who is left, in words: `2 in flight and 1 tunnel`. */
export function leftInWords({ inFlight, tunnels }: ServerLoad): string {
  return `${inFlight} in flight and ${tunnels} ${tunnels === 1 ? "tunnel" : "tunnels"}`;
}

export function loadOfAll(
  { loadOf }: Pick<IdleTools, "loadOf">,
  { group, keys }: Pick<Wait, "group" | "keys">,
): ServerLoad {
  const loads = keys.map((key) => loadOf(group, key));
  return {
    inFlight: loads.reduce((sum, { inFlight }) => sum + inFlight, 0),
    tunnels: loads.reduce((sum, { tunnels }) => sum + tunnels, 0),
  };
}
