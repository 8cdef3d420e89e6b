import type { FlapRules } from "./policy.ts";

/** What follows from one more fall of a server. */
export interface Fall {
  readonly falls: readonly number[];
  /** Until when it is held down; undefined where it falls rarely enough. */
  readonly heldUntil: number | undefined;
  /** To be added to the reason of the fall. */
  readonly words: string;
}

/** A fall at `now`, after those that are known. Between two falls lies a recovery. */
export function fallOf(known: readonly number[], rules: FlapRules, now: number): Fall {
  const { changes, withinMs, holdMs } = rules;
  if (changes === 0) return { falls: [], heldUntil: undefined, words: "" };
  const tooMany = Math.floor(changes / 2) + 1;
  const falls = [...known.filter((time) => now - time < withinMs), now].slice(-tooMany);
  if (falls.length < tooMany) return { falls, heldUntil: undefined, words: "" };
  const times = `${falls.length} times in ${withinMs / 1000} s`;
  return {
    falls,
    heldUntil: now + holdMs,
    words: `; held down for ${holdMs / 1000} s: it went down ${times}`,
  };
}
