import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "../rig/program.ts";
import { type Mode, REPORT } from "./control.ts";

const APP = fileURLToPath(new URL("app.ts", import.meta.url));
const START_MS = 15_000;

/** A request that reached the app, as the app itself noted it before it did anything else. */
export interface Arrival {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
  readonly id: string;
}

/** One app behind the proxies, which can be killed, stopped, brought back and told to misbehave. */
export class App implements AsyncDisposable {
  readonly pool: string;
  readonly port: number;
  readonly #arrivalsFile: string;
  readonly #outputFile: string;
  #program: Program | undefined;

  constructor(pool: string, port: number, folder: string) {
    this.pool = pool;
    this.port = port;
    this.#arrivalsFile = join(folder, `${pool}-arrivals`);
    this.#outputFile = join(folder, `${pool}-output`);
  }

  /** Starts it (again), on its port. */
  async start(): Promise<void> {
    const flags = ["--port", `${this.port}`, "--pool", this.pool, "--arrivals", this.#arrivalsFile];
    const program = new Program([process.execPath, APP, ...flags], {
      outputFile: this.#outputFile,
      channel: true,
      // Also one that was stopped must go.
      lastSignal: "KILL",
    });
    this.#program = program;
    await this.#reported(program);
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    await this.#program?.end("SIGKILL");
  }

  /** Connections are still accepted, by the kernel; nothing is read or answered. */
  hang(): void {
    this.#program?.signal("SIGSTOP");
  }

  wake(): void {
    this.#program?.signal("SIGCONT");
  }

  async behave(mode: Mode): Promise<void> {
    await this.#tell({ mode });
  }

  /** Answers since its start, but for those to health checks. */
  async served(): Promise<number> {
    return await this.#tell({});
  }

  /** Every request with an id that reached it, in all its lives. */
  arrivals(): readonly Arrival[] {
    if (!existsSync(this.#arrivalsFile)) return [];
    const lines = readFileSync(this.#arrivalsFile, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => {
      const [time = "", method = "", id = ""] = line.split(" ");
      return { time: Number(time), method, id };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #tell(order: { readonly mode?: Mode }): Promise<number> {
    const program = this.#program;
    if (program === undefined || program.isOver) throw new Error(`the ${this.pool} is not running`);
    program.child.send(order);
    return await this.#reported(program);
  }

  async #reported(program: Program): Promise<number> {
    const signal = AbortSignal.timeout(START_MS);
    const told = once(program.child, "message", { signal });
    // Where the app ends, nobody waits for its word any more.
    told.catch(() => {});
    const report = await Promise.race([told, program.exited]);
    if (report === undefined)
      throw new Error(`the ${this.pool} has ended:\n${program.lastWords()}`);
    return REPORT.parse(report[0]).served;
  }
}
