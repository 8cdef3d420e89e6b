import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Characters of its output that are kept. */
const OUTPUT_LENGTH = 2_000;

export interface ProgramSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Kills it when it aborts, with whatever it has started. */
  readonly signal: AbortSignal;
  /** What it reads; undefined: it gets no input, and its output is dropped. */
  readonly input?: string;
}

export type Ran =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly reason: string };

/** Runs a program without a shell: exit status 0 = ok. */
export function runProgram(
  [program = "", ...args]: readonly string[],
  { env, signal, input }: ProgramSettings,
): Promise<Ran> {
  return new Promise((resolve) => {
    const stdin = input === undefined ? undefined : openInput(input);
    const stdio: StdioOptions = stdin === undefined ? "ignore" : [stdin, "pipe", "pipe"];
    // A process group of its own, so that none of its children is left.
    const child = spawn(program, args, { env, stdio, detached: true });
    if (stdin !== undefined) closeSync(stdin);
    let output = "";
    const keep = (text: string): void => {
      output = (output + text).slice(0, OUTPUT_LENGTH);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", keep);
    const abort = (): void => killGroup(child.pid);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const end = (ran: Ran): void => {
      signal.removeEventListener("abort", abort);
      // What it has left running may hold its pipes open.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(ran);
    };
    child.on("error", (error) => {
      end({ ok: false, reason: `${program} cannot be run: ${error.message}` });
    });
    child.on("exit", (status, by) => {
      if (signal.aborted) end({ ok: false, reason: `${program}: ${wordsOf(signal.reason)}` });
      else if (status === 0) end({ ok: true, output: output.trim() });
      else
        end({
          ok: false,
          reason: `${program} ended with ${by ?? `exit status ${status}`}${told(output)}`,
        });
    });
  });
}

/**
 * A file without a name: what Node calls a pipe is a socket, and a bash that finds one there believes that it runs for
 * rshd, and reads somebody's ~/.bashrc.
 */
function openInput(text: string): number {
  const folder = mkdtempSync(join(tmpdir(), "understudy-input-"));
  try {
    const file = join(folder, "input");
    writeFileSync(file, text);
    return openSync(file, "r");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function told(output: string): string {
  const text = output.trim();
  return text === "" ? "" : `: ${text}`;
}

function wordsOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself, which "exit" is about to tell.
  }
}
