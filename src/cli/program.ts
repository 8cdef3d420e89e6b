import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { parseDuration } from "../config/duration.ts";
import type { Env } from "../config/interpolate.ts";
import { alert } from "./alert.ts";
import { addCompletion } from "./completion.ts";
import { events } from "./events.ts";
import { EXIT } from "./exit-codes.ts";
import { explain } from "./explain.ts";
import { failoverStatus } from "./failover-status.ts";
import { giveOrder } from "./give-order.ts";
import { healthcheck } from "./healthcheck.ts";
import { addOrderCommands, type GiveOrder } from "./order-commands.ts";
import { status } from "./status.ts";

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
  addWatch(program, env, endWith);
  await addCompletion(program, argv, env);
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

/** The one for those who keep another gateway. */
function addWatch(program: Command, env: Env, endWith: EndWith): void {
  program
    .command("watch <file>")
    .description(
      "the gateway's alerts from the access log of nginx, or whoever writes one (- = standard input)",
    )
    .option(
      "-c, --config <file>",
      "a configuration with alerts and groups (default: the environment)",
    )
    .option("--once", "read to the end and print what would have been told")
    .option("--print", "print messages, send none")
    .option("--from-start", "begin with what is in the file already")
    .option(
      "--state <file>",
      "where the place is kept (default: FILE.watch.json, beside the configuration or here)",
    )
    .option("--group <group>", "what a line's group is called that names none (default: app)")
    .action(async (file: string, options) => {
      const { watchLog } = await import("./watch-log.ts");
      await endWith(watchLog(file, WATCH.parse(options), env));
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
      .option("--token-file <file>", "its token (else UNDERSTUDY_TOKEN_FILE, else by the file)")
      .option("--json", "print JSON");
  add("status [group]", "which release serves and why, and how every server is")
    .option("-w, --watch", "again every second, until interrupted")
    .action((group: string | undefined, options) =>
      endWith(status(group, STATUS.parse(options), env)),
    );
  const give: GiveOrder = (command, order) =>
    endWith(giveOrder(order, PLACE.parse(command.opts()), env));
  addOrderCommands(add, give);
  add("reload", "read the configuration again, and wait until it serves").action(
    (_, command: Command) =>
      give(command, {
        doing: "reloading",
        next: "status",
        ask: (gateway) => gateway.reload(),
      }),
  );
  add("restart", "replace the workers by new ones from the code on disk").action(
    (_, command: Command) =>
      give(command, {
        doing: "restarting",
        next: "status",
        ask: (gateway) => gateway.restart(),
      }),
  );
  add("events", "what has happened lately to servers, pools and groups")
    .option("-f, --follow", "what happens from now on, until interrupted")
    .option("--since <time>", "all that are kept since so long ago: 1h")
    .option("--since-id <number>", "only what came behind this event")
    .option("--group <group>", "only what happened to this group")
    .action((options, command: Command) => {
      const parsed = EVENTS.safeParse(options);
      if (!parsed.success) {
        command.error("error: --since takes a duration as 1h, --since-id the number of an event");
      }
      return endWith(events(EVENTS.parse(options), env));
    });
  add(
    "alert [test]",
    "what people are told of now; `alert test` sends each channel a message",
  ).action((what: string | undefined, options, command: Command) => {
    if (what === undefined) return endWith(alert(PLACE.parse(options), env));
    if (what !== "test") {
      command.error(`error: alert knows only test, not ${JSON.stringify(what)}`);
    }
    return give(command, {
      doing: "sending a message through every channel",
      next: "alert",
      ask: (gateway) => gateway.testAlerts(),
    });
  });
  add("healthcheck", "exit with 0 where clients may be sent to the gateway, else with 1").action(
    (options) => endWith(healthcheck(PLACE.parse(options), env)),
  );
  add(
    "explain <request-id>",
    "every attempt of a recent request that failed or was retried, and why",
  ).action((id: string, options) => endWith(explain(id, PLACE.parse(options), env)));
  add(
    "failover-status <group> <pool>",
    "online, offline or none; exit with 0 only where it is online",
  ).action((group: string, pool: string, options) =>
    endWith(failoverStatus(group, pool, PLACE.parse(options), env)),
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
  tokenFile: z.string().optional(),
  json: z.boolean().optional(),
});

const EVENTS = PLACE.extend({
  follow: z.boolean().optional(),
  since: z
    .string()
    .refine((text) => parseDuration(text).ok)
    .optional(),
  sinceId: z.coerce.number().int().min(0).optional(),
  group: z.string().optional(),
});
const WATCH = z.object({
  config: z.string().optional(),
  once: z.boolean().optional(),
  print: z.boolean().optional(),
  fromStart: z.boolean().optional(),
  state: z.string().optional(),
  group: z.string().optional(),
});
const STATUS = PLACE.extend({ watch: z.boolean().optional() });

function readVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}
