import { setTimeout } from "node:timers/promises";

/** Waits for something that nobody tells of. */
export async function isTrueWithin(ms: number, condition: () => boolean): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await setTimeout(2);
  }
  return true;
}

/** Waits until a number has not changed for many turns of the event loop. */
export async function standsStill(read: () => number): Promise<void> {
  let last = read();
  let since = 0;
  const stands = await isTrueWithin(10_000, () => {
    since = read() === last ? since + 1 : 0;
    last = read();
    return since > 50;
  });
  if (!stands) throw new Error("it goes on and on");
}
