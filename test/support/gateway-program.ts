import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { childrenOf } from "./process-facts.ts";
import { type Exit, type Program, startProgram } from "./program.ts";

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
}

/** `understudy run` in a process of its own, on a free port of loopback. */
export async function startGatewayProgram(settings: GatewaySettings): Promise<GatewayProgram> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-e2e-"));
  const file = join(folder, "understudy.yaml");
  writeFileSync(file, configText(folder, settings));
  const args = [...(settings.nodeFlags ?? []), MAIN, "run", "--config", file];
  const program = startProgram(process.execPath, args, { cwd: folder });
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
  // Every YAML reader takes JSON.
  return JSON.stringify({ version: 1, listen: "127.0.0.1:0", access_log, groups, ...config });
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
    return childrenOf(this.program.pid);
  }

  /** The text of a configuration as it started with, with these settings. */
  configText(settings: GatewaySettings): string {
    return configText(this.#folder, settings);
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

function readLines<Line>(line: z.ZodType<Line>, text: string): readonly Line[] {
  const lines = text.split("\n").filter((text) => text.startsWith("{"));
  return lines.map((text) => line.parse(JSON.parse(text)));
}
