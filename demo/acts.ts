import type { App } from "./app-process.ts";
import type { Rig } from "./rig.ts";

/** One act of the demo's story. */
export interface Act {
  readonly act: string;
  /** What is done, in words. */
  readonly did: string;
  readonly play: (blue: App) => Promise<void>;
  /** What the gateway must tell of it; undefined where nothing is to happen. */
  readonly awaits: "failover" | "failback" | undefined;
  /** For the gateway to tell it, in milliseconds. */
  readonly withinMs: number;
  /** How long the act goes on after that, in milliseconds. */
  readonly thenMs: number;
  /** Share of POSTs, 0..1. */
  readonly postRatio: number;
}

/** A POST that was sent to a server that then fails is lost by policy: acts that break one have none. */
export const POSTS_NOTE =
  "a POST that was already sent when its server fails is not repeated, so POSTs run only in acts that break nothing";

const breaking = { awaits: "failover", withinMs: 6_000, thenMs: 1_700, postRatio: 0 } as const;
const mending = { awaits: "failback", withinMs: 12_000, thenMs: 800, postRatio: 0.2 } as const;

/** The story that the demo plays by itself; blue is the primary. */
export const STORY: readonly Act[] = [
  {
    act: "calm",
    did: "blue serves, green stands by",
    play: async () => {},
    awaits: undefined,
    withinMs: 0,
    thenMs: 2_000,
    postRatio: 0.2,
  },
  { act: "kill", did: "kill -9 of blue", play: (blue) => blue.kill(), ...breaking },
  { act: "revive", did: "blue starts again", play: (blue) => blue.revive(), ...mending },
  {
    act: "503",
    did: "blue answers everything with 503",
    play: (blue) => blue.misbehave("error"),
    ...breaking,
  },
  { act: "503-end", did: "blue answers again", play: (blue) => blue.revive(), ...mending },
  {
    act: "hang",
    did: "blue accepts and never answers",
    play: (blue) => blue.misbehave("timeout"),
    ...breaking,
  },
  { act: "hang-end", did: "blue answers again", play: (blue) => blue.revive(), ...mending },
];

/** When the gateway tells of it, in milliseconds since the epoch; undefined where it never does. */
export async function momentOf(
  rig: Rig,
  { awaits, withinMs }: Act,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (awaits === undefined) return undefined;
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const onEvent = () => resolve(performance.timeOrigin + performance.now());
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, withinMs);
  rig.events.once(awaits, onEvent);
  signal.addEventListener("abort", giveUp);
  return await promise.finally(() => {
    clearTimeout(timer);
    rig.events.off(awaits, onEvent);
    signal.removeEventListener("abort", giveUp);
  });
}
