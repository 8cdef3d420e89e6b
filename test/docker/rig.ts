import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { until } from "../support/until.ts";

const ROOT = `${import.meta.dirname}/../..`;
const run = promisify(execFile);

const GROUP = z.object({
  active: z.string(),
  primary: z.string(),
  pools: z.array(
    z.object({
      name: z.string(),
      servers: z.array(
        z.object({
          health: z.string(),
          last_probe: z.object({ reason: z.string() }).partial().optional(),
        }),
      ),
    }),
  ),
});

export type Pool = "blue" | "green";

/** docker-compose.yml as its users start it, under another name and on free ports. */
export class Rig implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "understudy-rig-"));
  readonly #env: Record<string, string>;
  readonly project: string;
  /** Of the gateway's entrance, on this machine. */
  port = 0;
  #adminPort = 0;

  /**
   * `change` makes of the rig's own configuration another one. Of ports that nobody names the engine picks others
   * whenever the gateway's container starts.
   */
  constructor(
    project: string,
    change: (config: string) => string = (config) => config,
    ports: { readonly gateway: number; readonly admin: number } = { gateway: 0, admin: 0 },
  ) {
    this.project = `understudy-test-${project}`;
    // The gateway in its container is somebody else.
    chmodSync(this.#folder, 0o755);
    cpSync(`${ROOT}/docker/config`, this.#folder, { recursive: true });
    this.#env = {
      CONFIG_DIR: this.#folder,
      GATEWAY_PORT: `${ports.gateway}`,
      ADMIN_PORT: `${ports.admin}`,
    };
    this.configure(change);
  }

  /** As an editor does. */
  configure(change: (config: string) => string): void {
    const file = join(this.#folder, "understudy.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")));
  }

  /** Starts these services, or all of them; `env` stands in for .env. Answers once they are healthy. */
  async up(services: readonly string[] = [], env: Record<string, string> = {}): Promise<void> {
    await this.compose(["up", "--detach", "--wait", "--no-deps", ...services], env);
    if (services.length > 0 && !services.includes("gateway")) return;
    await this.findPorts();
  }

  async findPorts(): Promise<void> {
    this.port = await this.#published(8080);
    this.#adminPort = await this.#published(9900);
  }

  async compose(words: readonly string[], env: Record<string, string> = {}): Promise<string> {
    return await docker(["compose", "--project-name", this.project, ...words], {
      ...this.#env,
      ...env,
    });
  }

  container(pool: Pool): string {
    return `${this.project}-app_${pool}-1`;
  }

  get network(): string {
    return `${this.project}_apps`;
  }

  async health(pool: Pool): Promise<string> {
    return (await this.#server(pool))?.health ?? "gone";
  }

  /** Why it failed; empty where it passed. */
  async lastProbe(pool: Pool): Promise<string> {
    return (await this.#server(pool))?.last_probe?.reason ?? "";
  }

  async active(): Promise<string> {
    return (await this.#group()).active;
  }

  /** Undefined while the gateway does not answer. */
  async activeOrNone(): Promise<string | undefined> {
    return await this.active().catch(() => undefined);
  }

  /** Switches, where another pool is the primary. */
  async makePrimary(pool: Pool): Promise<void> {
    if ((await this.#group()).primary === pool) return;
    await this.compose(["exec", "gateway", "understudy", "switch", "app", pool]);
    await this.untilActive(pool);
  }

  async untilActive(pool: Pool): Promise<void> {
    await until(async () => (await this.active()) === pool, `${pool} is active`);
  }

  /** The gateway's event log so far. */
  async events(): Promise<string> {
    return await this.compose(["logs", "--no-log-prefix", "gateway"]);
  }

  /** The gateway's access log so far, line by line. */
  async accessLog(): Promise<readonly string[]> {
    const text = await docker(["logs", `${this.project}-gateway-1`]);
    return text.split("\n").filter((line) => line.includes("pool"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose([
      "--profile",
      "debug",
      "--profile",
      "alerts",
      "down",
      "--volumes",
      "--timeout",
      "2",
    ]);
    rmSync(this.#folder, { recursive: true });
  }

  async #server(pool: Pool) {
    const found = (await this.#group()).pools.find(({ name }) => name === pool);
    return found?.servers[0];
  }

  async #group(): Promise<z.infer<typeof GROUP>> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}/api/v1/groups/app`);
    return GROUP.parse(await answer.json());
  }

  async #published(port: number): Promise<number> {
    const told = await this.compose(["port", "gateway", String(port)]);
    return Number(told.trim().slice(told.lastIndexOf(":") + 1));
  }
}

/** Its standard output; throws with what it told where it fails. */
export async function docker(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout } = await run("docker", words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
