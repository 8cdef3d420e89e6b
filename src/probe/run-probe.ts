import { runProgram } from "../action/run-program.ts";
import type { ProbeResult } from "./probe-settings.ts";

/**
 * Runs a program: exit status 0 = passed. It gets no input, its output is dropped, and it is killed
 * when the signal aborts, with whatever it has started.
 */
export async function runProbe(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const ran = await runProgram(command, { env, signal });
  return ran.ok ? { ok: true } : { ok: false, reason: ran.reason, silent: false };
}
