import { stayAlive, systemClock } from "../clock.ts";
import type { Answered } from "../control/admin-client.ts";
import { EXIT } from "./exit-codes.ts";
import { printProblem } from "./with-gateway.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 1_000;

const HIDE_CURSOR = "\u001B[?25l";
const SHOW_CURSOR = "\u001B[?25h";
const HOME = "\u001B[H";
const CLEAR = "\u001B[2J";
const REST_OF_LINE = "\u001B[K";
const REST_OF_SCREEN = "\u001B[J";

/**
 * Shows what `ask` says, every second, until it is interrupted or the gateway ends: in place on a terminal; in a pipe
 * one text after the other. Gives the exit status.
 */
export async function watch(ask: () => Promise<Answered<string>>): Promise<number> {
  const { stdout } = process;
  const letGo = stayAlive();
  const interrupted = Promise.withResolvers<undefined>();
  const end = (): void => interrupted.resolve(undefined);
  process.once("SIGINT", end).once("SIGTERM", end);
  stdout.once("error", end);
  if (stdout.isTTY) stdout.write(HIDE_CURSOR + CLEAR);
  try {
    for (;;) {
      const answer = await Promise.race([ask(), interrupted.promise]);
      if (answer === undefined) return EXIT.done;
      if (!answer.ok) return printProblem(answer);
      stdout.write(stdout.isTTY ? inPlace(answer.value) : `${answer.value}\n`);
      if (await isEnded(interrupted.promise)) return EXIT.done;
    }
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    if (stdout.isTTY) stdout.write(SHOW_CURSOR);
    letGo();
  }
}

/** Over what stood there: a screen that is cleared first flickers. */
function inPlace(text: string): string {
  const lines = text.split("\n").map((line) => `${line}${REST_OF_LINE}\n`);
  return `${HOME}${lines.join("")}${REST_OF_SCREEN}`;
}

/** Waits for the next look, or until it is interrupted. */
async function isEnded(interrupted: Promise<undefined>): Promise<boolean> {
  const pause = Promise.withResolvers<boolean>();
  const cancel = systemClock.after(LOOK_MS, () => pause.resolve(false));
  const ended = await Promise.race([pause.promise, interrupted.then(() => true)]);
  cancel();
  return ended;
}
