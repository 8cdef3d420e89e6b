import { request } from "node:http";
import { isPortTaken, startChild } from "./child.ts";
import type { Child } from "./child.ts";

export type Pool = "blue" | "green";
export type Chaos = "error" | "timeout";

/** One app behind the gateway, with the means to make its life hard. */
export interface App {
  readonly pool: Pool;
  readonly release: string;
  readonly port: number;
  /** Undefined while it is dead, whoever killed it. */
  readonly pid: number | undefined;
  readonly chaos: Chaos | undefined;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it where it is dead and makes it behave where it does not. */
  revive(): Promise<void>;
  misbehave(chaos: Chaos): Promise<void>;
  end(): Promise<void>;
}

/** Starts on the first of these ports that is free. */
export async function startApp(
  pool: Pool,
  release: string,
  ports: readonly number[],
): Promise<App> {
  const [port, ...others] = ports;
  if (port === undefined) throw new Error(`no port is free for ${pool}`);
  const app = new AppProcess(pool, release, port);
  try {
    await app.revive();
    return app;
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    return await startApp(pool, release, others);
  }
}

class AppProcess implements App {
  readonly pool: Pool;
  readonly release: string;
  readonly port: number;
  chaos: Chaos | undefined;
  #child: Child | undefined;

  constructor(pool: Pool, release: string, port: number) {
    this.pool = pool;
    this.release = release;
    this.port = port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async kill(): Promise<void> {
    await this.#child?.end("SIGKILL");
  }

  async revive(): Promise<void> {
    if (this.#child === undefined) await this.#start();
    else if (this.chaos !== undefined) await this.#tell("/chaos/stop");
    this.chaos = undefined;
  }

  async misbehave(chaos: Chaos): Promise<void> {
    if (this.#child === undefined) return;
    await this.#tell(`/chaos/start?mode=${chaos}`);
    this.chaos = chaos;
  }

  async end(): Promise<void> {
    await this.#child?.end("SIGTERM");
  }

  async #start(): Promise<void> {
    const { pool, release, port } = this;
    const flags = ["--port", `${port}`, "--pool", pool, "--release", release];
    const child = await startChild(["demo/app.ts", ...flags]);
    this.#child = child;
    void child.exited.then(() => {
      this.#child = undefined;
      this.chaos = undefined;
    });
  }

  #tell(path: string): Promise<void> {
    const { port } = this;
    return new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, method: "POST", agent: false, timeout: 5_000 })
        .on("response", (answer) => answer.resume().on("end", resolve))
        .on("timeout", () => reject(new Error(`${this.pool} does not listen to ${path}`)))
        .on("error", reject)
        .end();
    });
  }
}
