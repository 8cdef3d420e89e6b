import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readLog, type Gateway, type LogLine } from "./gateway.ts";

/** How to run a gateway that reads one configuration file. */
export interface Recipe {
  readonly name: string;
  readonly command: readonly string[];
  /** The configuration, given the folder for its files and the port to listen on. */
  readonly configure: (folder: string, port: number) => string;
  /** What it prints once it listens. */
  readonly ready: RegExp;
  /** Ends it after the requests in flight. */
  readonly stopSignal: "SIGTERM" | "SIGQUIT";
  /** Told where the command does not exist. */
  readonly missing: string;
}

/** Name of the access log in the gateway's folder. */
export const ACCESS_LOG = "access.log";

/** How long starting and stopping may take each, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Halves the time that a Node process takes to start from sources. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url));

const ENVIRONMENT = {
  ...process.env,
  // Debian has nginx where only root's PATH leads.
  PATH: `${process.env["PATH"] ?? ""}:/usr/sbin`,
  NODE_COMPILE_CACHE: COMPILE_CACHE,
};

/** A test that runs out of time leaves its gateway behind: none outlives the test run. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a gateway in a folder of its own; `CONFIG` and `FOLDER` in its command are filled in. */
export async function startGatewayProcess(recipe: Recipe): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), `understudy-${recipe.name}-`));
  const port = await freePort();
  const config = join(folder, "gateway.conf");
  await writeFile(config, recipe.configure(folder, port));
  const places: Record<string, string> = { CONFIG: config, FOLDER: folder };
  const [command = "", ...args] = recipe.command.map((word) => places[word] ?? word);
  const child = spawn(command, args, { env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  const gateway = new GatewayProcess(recipe, child, folder, port);
  try {
    await gateway.ready();
  } catch (error) {
    await gateway[Symbol.asyncDispose]();
    throw error;
  }
  return gateway;
}

class GatewayProcess implements Gateway {
  readonly port: number;
  readonly #recipe: Recipe;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<unknown>;
  #output = "";

  constructor(recipe: Recipe, child: ChildProcess, folder: string, port: number) {
    this.#recipe = recipe;
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    running.add(child);
    this.#exited = once(child, "close").finally(() => running.delete(child));
    this.#exited.catch(() => {});
  }

  async ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onOutput = (bytes: Buffer): void => {
      this.#output += bytes.toString();
      if (this.#recipe.ready.test(this.#output)) resolve();
    };
    this.#child.stdout?.on("data", onOutput);
    this.#child.stderr?.on("data", onOutput);
    this.#exited.then(
      () => reject(new Error(this.#told("ended before it was ready"))),
      (cause) => reject(new Error(this.#recipe.missing, { cause })),
    );
    const timer = setTimeout(() => reject(new Error(this.#told("is not ready"))), PATIENCE_MS);
    await promise.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<readonly LogLine[]> {
    await this.#end(this.#recipe.stopSignal);
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0) throw new Error(this.#told(`ended with ${exitCode ?? signalCode}`));
    return readLog(await readFile(join(this.#folder, ACCESS_LOG), "latin1"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM").catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    await this.#exited.finally(() => clearTimeout(timer));
  }

  #told(what: string): string {
    return `${this.#recipe.name} ${what}; it said:\n${this.#output}`;
  }
}

/** Given back at once, so that somebody else could take it: the kernel does not hurry to. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
