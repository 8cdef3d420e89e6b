import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A program of this project as a process of its own, which ends with the demo. */
export interface Child {
  readonly pid: number;
  /** What its line `ready ...` told. */
  readonly ready: string;
  /** Resolves when it has ended, however. */
  readonly exited: Promise<void>;
  /** The end of what it said on stderr. */
  lastWords(): string;
  /** Ends it with this signal, by force where it does not listen. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LEASH = new URL("leash.ts", import.meta.url).href;
/** For starting, on a busy machine, in milliseconds. */
const START_MS = 30_000;
/** For ending after a signal, in milliseconds. */
const END_MS = 4_000;

export interface ChildOptions {
  readonly onErrorLine?: (line: string) => void;
  /** A folder that it removes where the demo itself no longer can. */
  readonly folder?: string;
}

/** Resolves when it is ready; rejects with what it said on stderr. */
export async function startChild(
  args: readonly string[],
  { onErrorLine, folder }: ChildOptions = {},
): Promise<Child> {
  // A group of its own: Ctrl-C in the terminal is for the demo, which ends the others in order.
  const child = spawn(process.execPath, ["--import", LEASH, ...args], {
    cwd: ROOT,
    detached: true,
    env: folder === undefined ? process.env : { ...process.env, UNDERSTUDY_DEMO_FOLDER: folder },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = once(child, "close").then(() => {});
  const said: string[] = [];
  linesOf(child.stderr, (line) => {
    said.push(line);
    if (said.length > 20) said.shift();
    onErrorLine?.(line);
  });
  const ready = await Promise.race([readiness(child), exited, after(START_MS, "", { ref: false })]);
  if (typeof ready === "string" && ready !== "" && child.pid !== undefined)
    return {
      pid: child.pid,
      ready,
      exited,
      lastWords: () => said.join("\n"),
      end: (signal) => end(child, exited, signal),
    };
  child.kill("SIGKILL");
  throw new Error([`${args.join(" ")} does not start`, ...said].join("\n"));
}

/** True where a child could not start because another program has its port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /EADDRINUSE|in use by another program/.test(error.message);
}

function readiness(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  linesOf(child.stdout, (line) => {
    const told = /^ready (.+)$/.exec(line)?.[1];
    if (told !== undefined) resolve(told);
  });
  return promise;
}

function linesOf(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on("line", onLine);
}

async function end(child: ChildProcess, exited: Promise<void>, signal: NodeJS.Signals) {
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await exited.finally(() => clearTimeout(timer));
}
