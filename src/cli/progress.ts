import { systemClock } from "../clock.ts";

/** How often it is told how long it takes, in milliseconds; what is done before is not told at all. */
const TOLD_MS = 1_000;

/** Says on a terminal that `doing` is under way, and since when, until it is; nothing in a pipe. */
export async function withProgress<T>(doing: string, work: Promise<T>): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) return await work;
  let seconds = 0;
  const tell = (): void => {
    seconds += TOLD_MS / 1_000;
    stderr.write(`\r\u001B[K${doing} ... ${seconds} s`);
    cancel = systemClock.after(TOLD_MS, tell);
  };
  let cancel = systemClock.after(TOLD_MS, tell);
  try {
    return await work;
  } finally {
    cancel();
    if (seconds > 0) stderr.write("\r\u001B[K");
  }
}
