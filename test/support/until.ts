import { setTimeout as pause } from "node:timers/promises";

/** How often to look, in milliseconds. */
const LOOK_MS = 10;

/** Waits for something that tells nobody when it comes true; fails after `timeoutMs`. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`after ${timeoutMs} ms still not: ${what}`);
    await pause(LOOK_MS);
  }
}
