import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Afterwards a WeakRef tells whether anybody still holds what it points to. */
export async function collectGarbage(): Promise<void> {
  // A WeakRef keeps its target until the turn of the event loop that looked at it is over.
  await setImmediate();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
