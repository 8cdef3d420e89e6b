import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { hasProgram } from "./has-program.ts";
import { ROOT } from "./root.ts";

/** What a program gets to end after its signal, in milliseconds. */
const END_MS = 15_000;

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Its standard output and error go here, behind what is there. */
  readonly outputFile: string;
  /** Opens a channel for messages to a program of Node's. */
  readonly channel?: boolean;
  /** What it gets should the bench die first. Default SIGTERM. */
  readonly lastSignal?: "TERM" | "KILL";
}

/** A process of its own, which ends with the bench whatever becomes of that. */
export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  readonly #outputFile: string;
  #isOver = false;

  constructor(command: readonly string[], options: ProgramOptions) {
    const [file = "", ...args] = onLeash(command, options.lastSignal ?? "TERM");
    const output = openSync(options.outputFile, "a");
    const channel = options.channel === true ? (["ipc"] as const) : [];
    const stdio = ["ignore" as const, output, output, ...channel];
    this.child = spawn(file, args, { stdio, cwd: ROOT, env: { ...process.env, ...options.env } });
    closeSync(output);
    this.#outputFile = options.outputFile;
    this.exited = once(this.child, "exit").then(() => {
      this.#isOver = true;
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("the program did not start");
    return this.child.pid;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it with this signal; by force where it does not listen. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#isOver) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    await this.exited.finally(() => clearTimeout(timer));
  }

  /** The last that it said, for a report. */
  lastWords(): string {
    return readFileSync(this.#outputFile, "utf8").slice(-2_000);
  }
}

function onLeash(command: readonly string[], signal: string): readonly string[] {
  return hasProgram("setpriv") ? ["setpriv", "--pdeathsig", signal, ...command] : command;
}
