import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import type { Env } from "../config/interpolate.ts";
import { check } from "./check.ts";
import { EXIT } from "./exit-codes.ts";
import { run } from "./run.ts";

/** Reads the command line and runs the command; resolves with the exit status. */
export async function runProgram(argv: readonly string[], env: Env): Promise<number> {
  // A reader that goes away (`| head`) must not take the program with it.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let status: number = EXIT.done;
  const program = new Command("understudy")
    .description("A failover gateway for blue/green containers on one host.")
    .version(readVersion(), "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageProblem(text)) });
  const withConfig = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("-c, --config <file>", "configuration file", "understudy.yaml");
  withConfig("run", "serve in the foreground until SIGTERM or SIGINT").action(async (options) => {
    status = await run(CONFIG.parse(options).config, env);
  });
  withConfig("check", "check a configuration and print what it would serve").action((options) => {
    status = check(CONFIG.parse(options).config, env);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return status;
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

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}
