import { spawn } from "node:child_process";
import { reasonOf } from "./connect.ts";
import type { ProbeResult } from "./probe-settings.ts";

/**
 * Runs a program: exit status 0 = passed. It gets no input, its output is dropped, and it is killed
 * when the signal aborts, with whatever it has started.
 */
export function runProbe(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const fail = (reason: string): void => resolve({ ok: false, reason, silent: false });
    // A process group of its own, so that none of its children is left.
    const child = spawn(program, args, { env, stdio: "ignore", detached: true });
    const abort = (): void => killGroup(child.pid);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    child.on("error", (error) => {
      signal.removeEventListener("abort", abort);
      fail(`${program} cannot be run: ${error.message}`);
    });
    child.on("exit", (status, by) => {
      signal.removeEventListener("abort", abort);
      if (signal.aborted) fail(`${program}: ${reasonOf(signal.reason)}`);
      else if (status === 0) resolve({ ok: true });
      else fail(`${program} ended with ${by ?? `exit status ${status}`}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself, which "exit" is about to tell.
  }
}
