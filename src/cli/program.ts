import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import type { Env } from "../config/interpolate.ts";
import { events } from "./events.ts";
import { EXIT } from "./exit-codes.ts";
import { healthcheck } from "./healthcheck.ts";
import { reload } from "./reload.ts";
import { restart } from "./restart.ts";
import { status } from "./status.ts";
import { switchPool } from "./switch.ts";

/** Reads the command line and runs the command; resolves with the exit status. */
export async function runProgram(argv: readonly string[], env: Env): Promise<number> {
  // A reader that goes away (`| head`) must not take the program with it.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let exitStatus: number = EXIT.done;
  const endWith = async (command: number | Promise<number>): Promise<void> => {
    exitStatus = await command;
  };
  const program = new Command("understudy")
    .description("A failover gateway for blue/green containers on one host.")
    .version(readVersion(), "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageProblem(text)) });
  addGatewayCommands(program, env, endWith);
  addOperatorCommands(program, env, endWith);
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return exitStatus;
}

type EndWith = (command: number | Promise<number>) => Promise<void>;

/** Those that need a configuration. */
function addGatewayCommands(program: Command, env: Env, endWith: EndWith): void {
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("-c, --config <file>", "configuration file", "understudy.yaml");
  // Loading a gateway takes longer than all that an operator's command does.
  add("run", "serve in the foreground until SIGTERM or SIGINT").action(async (options) => {
    const { run } = await import("./run.ts");
    await endWith(run(CONFIG.parse(options).config, env, readVersion()));
  });
  add("check", "check a configuration and print what it would serve").action(async (options) => {
    const { check } = await import("./check.ts");
    await endWith(check(CONFIG.parse(options).config, env));
  });
}

/** Those that need a gateway that runs. */
function addOperatorCommands(program: Command, env: Env, endWith: EndWith): void {
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("-a, --admin <address>", "the gateway's admin address (else UNDERSTUDY_ADMIN)")
      .option("-c, --config <file>", "else: the file that has it (default: understudy.yaml)")
      .option("--json", "print JSON");
  add("status [group]", "which release serves and why, and how every server is").action(
    (group: string | undefined, options) => endWith(status(group, PLACE.parse(options), env)),
  );
  add("reload", "read the configuration again, and wait until it serves").action((options) =>
    endWith(reload(PLACE.parse(options), env)),
  );
  add("restart", "replace the workers by new ones from the code on disk").action((options) =>
    endWith(restart(PLACE.parse(options), env)),
  );
  add("switch <group> <pool>", "make a pool the primary of its group").action(
    (group: string, pool: string, options) =>
      endWith(switchPool(group, pool, PLACE.parse(options), env)),
  );
  add("events", "follow what happens, until interrupted").action((options) =>
    endWith(events(PLACE.parse(options), env)),
  );
  add("healthcheck", "exit with 0 where clients may be sent to the gateway, else with 1").action(
    (options) => endWith(healthcheck(PLACE.parse(options), env)),
  );
}

/** commander's words, after the program's name as in every other line of ours. */
function usageProblem(text: string): string {
  const problem = text
    .trim()
    .replaceAll("\n", " ")
    .replace(/^error:/, "understudy:");
  return `${problem} (understudy --help tells all commands)\n`;
}

const CONFIG = z.object({ config: z.string() });
const PLACE = z.object({
  admin: z.string().optional(),
  config: z.string().optional(),
  json: z.boolean().optional(),
});

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}
