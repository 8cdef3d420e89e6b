import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a wait may take, in milliseconds. */
const PATIENCE_MS = 20_000;

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A process group of its own, as a shell gives each command in a terminal. */
  readonly detached?: boolean;
  /** Descriptors of ours that it gets as its own, from 3 on. */
  readonly descriptors?: readonly number[];
}

/** Starts a program; disposing it kills it and waits until it is gone. */
export function startProgram(
  command: string,
  args: readonly string[],
  { descriptors = [], ...options }: ProgramOptions = {},
): Program {
  const stdio = ["ignore", "pipe", "pipe", ...descriptors] as const;
  return new Program(spawn(command, args, { ...options, stdio: [...stdio] }));
}

const running = new Set<ChildProcess>();

/** Kills what a test has left: one that runs out of time never comes to the end of its scope. */
export function killStrays(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A process of its own, and all that it has said. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #events = new EventEmitter();
  readonly #exited: Promise<Exit>;
  stdout = "";
  stderr = "";
  #isOver = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    child.stdout?.on("data", (bytes: Buffer) => this.#heard(() => (this.stdout += bytes)));
    child.stderr?.on("data", (bytes: Buffer) => this.#heard(() => (this.stderr += bytes)));
    this.#exited = once(child, "close").then(() => {
      running.delete(child);
      this.#heard(() => (this.#isOver = true));
      return { code: child.exitCode, signal: child.signalCode };
    });
    this.#exited.catch(() => {});
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the program did not start");
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops listening to its standard output, as `| head -1` does once it has its line. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Waits for a match in what it says; fails where it ends, or is silent, before. */
  async says(what: RegExp, where: "stdout" | "stderr" = "stdout"): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const match = what.exec(this[where]);
      if (match !== null) return match;
      if (this.#isOver) throw new Error(`ended before it said ${what}:\n${this.#told()}`);
      await once(this.#events, "heard", { signal }).catch((cause: unknown) => {
        throw new Error(`did not say ${what}:\n${this.#told()}`, { cause });
      });
    }
  }

  /** Waits for its end, all output included. */
  async exit(): Promise<Exit> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    return await this.#exited.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #heard(note: () => void): void {
    note();
    this.#events.emit("heard");
  }

  #told(): string {
    return `${this.stdout.slice(-2_000)}\n${this.stderr.slice(-2_000)}`;
  }
}
