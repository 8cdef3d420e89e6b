/** `npm run demo`: what it does and how is told in options.ts. */
import { showStory } from "./auto.ts";
import { showLive } from "./live.ts";
import { readOptions, USAGE } from "./options.ts";
import type { DemoOptions } from "./options.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

const SIGNALS = [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: DemoOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    process.stderr.write(`demo: ${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  if (!options.help) return await perform(options);
  process.stdout.write(USAGE);
  return 0;
}

async function perform(options: DemoOptions): Promise<number> {
  const ending = new AbortController();
  let status = 1;
  for (const [signal, code] of SIGNALS) {
    process.on(signal, () => {
      status = code;
      ending.abort();
    });
  }
  // Who reads the output has gone, as `| head` does: the show is over.
  process.stdout.on("error", () => ending.abort());
  try {
    const rig = await startRig();
    try {
      return await show(rig, options, ending.signal);
    } finally {
      await rig.stop();
      await rig.cleanUp();
    }
  } catch (error) {
    if (!ending.signal.aborted) process.stderr.write(`demo: ${messageOf(error)}\n`);
    return status;
  }
}

async function show(rig: Rig, options: DemoOptions, ending: AbortSignal): Promise<number> {
  const gone = new AbortController();
  void rig.gateway.exited.then(() =>
    gone.abort(new Error(`the gateway has ended by itself; it said:\n${rig.gateway.lastWords()}`)),
  );
  const signal = AbortSignal.any([ending, gone.signal]);
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env["TERM"] !== "dumb";
  return await (isTerminal && !options.auto ? showLive : showStory)(rig, options, signal);
}

/** An abort's own message says nothing; its cause does. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
