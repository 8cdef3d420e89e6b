/** A crash counts against its slot for so long, in milliseconds. */
const MEMORY_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The longest pause while nobody serves at all. */
const URGENT_PAUSE_MS = 250;
/** From this many crashes within the last minute on, a slot is said to crash again and again. */
const LOOP_CRASHES = 5;

export interface Respawn {
  readonly crashes: readonly number[];
  /** Milliseconds to wait before the next start. */
  readonly pauseMs: number;
  /** It has crashed so often that somebody should look. */
  readonly isLoop: boolean;
}

/**
 * What follows from a crash at `now` (monotonic ms): the first successor starts at once, further ones
 * after pauses that double up to 5 s, until a minute has passed without a crash. While nobody serves
 * (`isAlone`) the pause is a quarter of a second at most.
 */
export function afterCrash(crashes: readonly number[], now: number, isAlone: boolean): Respawn {
  const recent = [...crashes.filter((at) => now - at < MEMORY_MS), now];
  const doubled = FIRST_PAUSE_MS * 2 ** (recent.length - 2);
  const longest = isAlone ? URGENT_PAUSE_MS : LONGEST_PAUSE_MS;
  const pauseMs = recent.length === 1 ? 0 : Math.min(longest, doubled);
  return { crashes: recent, pauseMs, isLoop: recent.length >= LOOP_CRASHES };
}
