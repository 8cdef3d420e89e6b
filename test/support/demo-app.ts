import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "./program.ts";

const APP = fileURLToPath(new URL("../../demo/app.ts", import.meta.url));

/** The demo's app as a process that can be killed and brought back on its port. */
export async function startDemoApp(pool: string): Promise<DemoApp> {
  const app = new DemoApp(pool);
  await app.start();
  return app;
}

export class DemoApp implements AsyncDisposable {
  readonly pool: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "understudy-app-"));
  #program: Program | undefined;
  #port = 0;

  constructor(pool: string) {
    this.pool = pool;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts it (again), on the port that it had before. */
  async start(): Promise<void> {
    const flags = [
      "--port",
      `${this.#port}`,
      "--pool",
      this.pool,
      "--arrivals",
      this.#arrivalsFile,
    ];
    this.#program = startProgram(process.execPath, [APP, ...flags]);
    this.#port = Number((await this.#program.says(/^ready (\d+)$/m))[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#program?.signal(signal);
  }

  /** `kill -9`, and gone. */
  async kill(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
  }

  /** Every request that reached it, in all its lives: `METHOD ID`. */
  get arrivals(): readonly string[] {
    if (!existsSync(this.#arrivalsFile)) return [];
    return readFileSync(this.#arrivalsFile, "utf8").split("\n").slice(0, -1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }

  get #arrivalsFile(): string {
    return join(this.#folder, "arrivals");
  }
}
