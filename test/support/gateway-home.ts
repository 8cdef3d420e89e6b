import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAIN } from "./gateway-program.ts";
import { childrenOf, isAlive } from "./process-facts.ts";
import { type Program, startProgram } from "./program.ts";
import { ask } from "./raw-client.ts";
import { until } from "./until.ts";

/** A folder with a configuration and whatever gateways have left there, one after the other. */
export class GatewayHome implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "understudy-home-"));
  #program: Program | undefined;
  port = 0;

  /** Of its `config` the address, the logs and the admin address are its own. */
  constructor(config: object) {
    const text = JSON.stringify({
      listen: "127.0.0.1:0",
      access_log: "off",
      admin: { address: `unix:${this.#admin}` },
      limits: { connections: 1_000 },
      ...config,
    });
    writeFileSync(join(this.#folder, "understudy.yaml"), text);
  }

  /** Waits until it is ready. */
  async start(): Promise<void> {
    const args = [MAIN, "run", "--config", join(this.#folder, "understudy.yaml")];
    this.#program = startProgram(process.execPath, args, { cwd: this.#folder });
    this.port = Number((await this.#program.says(/^ready \S+:(\d+)/m))[1]);
  }

  /** What the gateway that runs has told on stderr. */
  get told(): string {
    return this.#program?.stderr ?? "";
  }

  /** What orders have left, or undefined before the first one. */
  get state(): unknown {
    const name = this.files.find((file) => file === "understudy.state.json");
    return name && JSON.parse(readFileSync(join(this.#folder, name), "utf8"));
  }

  get files(): readonly string[] {
    return readdirSync(this.#folder);
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.#program?.signal("SIGTERM");
    await this.#program?.exit();
  }

  /** `kill -9` of the supervisor and its workers in one go; waits until all are gone. */
  async kill(): Promise<void> {
    const program = this.#program;
    if (program === undefined || program.isOver) return;
    const all = [program.pid, ...childrenOf(program.pid)];
    for (const pid of all) killIfThere(pid);
    await program.exit();
    await until(() => !all.some(isAlive), "all its processes are gone");
  }

  /** Undefined where it ends before it answers. */
  async order(verb: string, order: object): Promise<unknown> {
    const request = {
      method: "POST",
      path: `/api/v1/groups/app/${verb}`,
      fields: { "Content-Type": "application/json" },
      body: JSON.stringify(order),
    };
    const answer = await ask({ path: this.#admin }, request);
    return answer?.complete === true ? JSON.parse(answer.body) : undefined;
  }

  async says(path: string): Promise<unknown> {
    return JSON.parse((await ask({ path: this.#admin }, { path }))?.body ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }

  get #admin(): string {
    return join(this.#folder, "admin.sock");
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
