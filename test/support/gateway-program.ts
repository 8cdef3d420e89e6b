import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { childrenOf, isAlive } from "./process-facts.ts";
import { type Exit, type Program, type ProgramOptions, startProgram } from "./program.ts";
import { ask, type RequestText } from "./raw-client.ts";
import { until } from "./until.ts";

export const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

const ACCESS_LINE = z.object({
  time: z.string(),
  request_id: z.string(),
  /** Missing where what came was no request. */
  method: z.string().optional(),
  status: z.number(),
  /** In seconds. */
  request_time: z.number(),
  pool: z.string().optional(),
  upstream_addr: z.string().optional(),
  error: z.string().optional(),
  attempts: z
    .array(
      z.object({
        pool: z.string(),
        phase: z.string(),
        cause: z.string().optional(),
        sent_bytes: z.number(),
        decision: z.string(),
        why: z.string(),
      }),
    )
    .optional(),
});

/** A line of the JSON access log; of the fields those that tests read. */
export type AccessLine = z.infer<typeof ACCESS_LINE>;

const EVENT_LINE = z.object({
  time: z.string(),
  event: z.string().optional(),
  pool: z.string().optional(),
  message: z.string(),
  reason: z.string().optional(),
  /** Number of a configuration. */
  config: z.number().optional(),
  /** Slot of a worker. */
  worker: z.number().optional(),
});

/** A line of the event log. */
export type EventLine = z.infer<typeof EVENT_LINE>;

export interface GatewaySettings {
  /** The `groups` of its configuration. */
  readonly groups: object;
  /** More keys of its configuration, or others in place of the usual ones. */
  readonly config?: object;
  /** Flags for Node. */
  readonly nodeFlags?: readonly string[];
  /** The code that is run; default: the command of `src`. */
  readonly main?: string;
  /** Puts the first configuration where it is read; default: writes the file. */
  readonly place?: (file: string, text: string) => void;
  /** The command in front of Node, with its arguments. */
  readonly wrapper?: readonly string[];
  readonly options?: ProgramOptions;
}

/** `understudy run` in a process of its own, on a free port of loopback. */
export async function startGatewayProgram(settings: GatewaySettings): Promise<GatewayProgram> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-e2e-"));
  const file = join(folder, "understudy.yaml");
  const { main = MAIN, nodeFlags = [], place = writeFileSync, wrapper = [] } = settings;
  place(file, configText(folder, settings));
  const node = [process.execPath, ...nodeFlags, main, "run", "--config", file];
  const [command = "", ...args] = [...wrapper, ...node];
  const program = startProgram(command, args, { cwd: folder, ...settings.options });
  try {
    const ready = await program.says(/^ready \S+:(\d+)/m);
    return new GatewayProgram(program, folder, Number(ready[1]));
  } catch (error) {
    await program[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function configText(folder: string, { groups, config }: GatewaySettings): string {
  const access_log = { file: join(folder, "access.log") };
  const admin = { address: `unix:${join(folder, "admin.sock")}` };
  // Every YAML reader takes JSON.
  return JSON.stringify({
    version: 1,
    listen: "127.0.0.1:0",
    access_log,
    admin,
    // No more than any limit of open files allows, which is warned of else.
    limits: { connections: 1_000 },
    groups,
    // How many fail within a second depends on the machine.
    alerts: { error_rate: { threshold: "100%" } },
    ...config,
  });
}

export class GatewayProgram implements AsyncDisposable {
  readonly program: Program;
  readonly port: number;
  readonly #folder: string;

  constructor(program: Program, folder: string, port: number) {
    this.program = program;
    this.#folder = folder;
    this.port = port;
  }

  /** What happened so far. */
  get events(): readonly EventLine[] {
    return readLines(EVENT_LINE, this.program.stderr);
  }

  /** The access log as far as it is written; complete after stop(). */
  get accessLog(): readonly AccessLine[] {
    const file = join(this.#folder, "access.log");
    return existsSync(file) ? readLines(ACCESS_LINE, readFileSync(file, "utf8")) : [];
  }

  get configFile(): string {
    return join(this.#folder, "understudy.yaml");
  }

  /** The processes that it has started and that still run. */
  get workers(): readonly number[] {
    return childrenOf(this.program.pid).filter(isAlive);
  }

  /** The text of a configuration as it started with, with these settings. */
  configText(settings: GatewaySettings): string {
    return configText(this.#folder, settings);
  }

  /** Writes a configuration anew, as it started with but with these settings. */
  write(settings: GatewaySettings): void {
    writeFileSync(this.configFile, this.configText(settings));
  }

  /** The events of a type so far. */
  eventsOf(...types: readonly string[]): readonly EventLine[] {
    return this.events.filter(({ event = "" }) => types.includes(event));
  }

  /** Waits until so many events of a type have happened; gives the last of them. */
  async happened(type: string, count = 1): Promise<EventLine> {
    await until(() => this.eventsOf(type).length >= count, `${count} ${type}`).catch((cause) => {
      throw new Error(this.program.stderr.slice(-2_000), { cause });
    });
    const event = this.eventsOf(type)[count - 1];
    if (event === undefined) throw new Error(`no ${type}`);
    return event;
  }

  /** Runs an operator's command against it, to its end. */
  async command(...args: readonly string[]): Promise<Told> {
    const all = [MAIN, ...args, "--admin", `unix:${this.#adminSocket}`];
    await using program = startProgram(process.execPath, all, { cwd: this.#folder });
    const { code } = await program.exit();
    return { exit: code, stdout: program.stdout, stderr: program.stderr };
  }

  /** What its admin API answers, as data. */
  adminSays(path: string): Promise<unknown> {
    return this.#askAdmin({ path });
  }

  /** The value of each series of a metric, by its labels as they are written. */
  async metric(name: string): Promise<ReadonlyMap<string, number>> {
    const answer = await ask({ path: this.#adminSocket }, { path: "/metrics" });
    const series = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, "gm");
    const found = (answer?.body ?? "").matchAll(series);
    return new Map(Array.from(found, ([, labels = "", value]) => [labels, Number(value)]));
  }

  /** The same, of an order. */
  adminOrder(path: string, order: object): Promise<unknown> {
    const fields = { "Content-Type": "application/json" };
    return this.#askAdmin({ method: "POST", path, fields, body: JSON.stringify(order) });
  }

  async #askAdmin(request: RequestText): Promise<unknown> {
    const answer = await ask({ path: this.#adminSocket }, request);
    return JSON.parse(answer?.body ?? "");
  }

  get #adminSocket(): string {
    return join(this.#folder, "admin.sock");
  }

  async stop(): Promise<Exit> {
    this.program.signal("SIGTERM");
    return await this.program.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

/** How a command ended, and what it said. */
export interface Told {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function readLines<Line>(line: z.ZodType<Line>, text: string): readonly Line[] {
  // What follows the last line end is still being written.
  const lines = text
    .split("\n")
    .slice(0, -1)
    .filter((text) => text.startsWith("{"));
  return lines.map((text) => line.parse(JSON.parse(text)));
}
