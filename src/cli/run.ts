import { z } from "zod";
import type { Env } from "../config/interpolate.ts";
import { type Gateway, startGateway } from "../gateway.ts";
import { launcherOf } from "../process/worker-process.ts";
import { EXIT } from "./exit-codes.ts";
import { FollowedConfig } from "./followed-config.ts";
import { runtimeWarning } from "./runtime-warning.ts";

/** `understudy run`: serves until a signal, then ends in order; a second signal ends at once. */
export async function run(file: string, env: Env, version: string): Promise<number> {
  const source = new FollowedConfig(file, env);
  const first = source.read();
  for (const line of first.ok ? first.remarks : first.problems) process.stderr.write(`${line}\n`);
  if (!first.ok) return EXIT.usage;
  for (const warning of [runtimeWarning(process.versions.node)]) {
    if (warning !== undefined) process.stderr.write(`understudy: ${warning}\n`);
  }
  let gateway: Gateway;
  try {
    gateway = await startGateway(first.config, {
      hash: first.hash,
      version,
      read: (previous) => source.read(previous),
      launch: launcherOf(process.argv[1] ?? ""),
    });
  } catch (error) {
    process.stderr.write(`understudy: ${startProblem(error)}\n`);
    return EXIT.usage;
  }
  obeySignals(gateway);
  // Who waits for "ready" may send a signal at once.
  const stopped = untilStopped(gateway);
  source.follow(() => void gateway.reload());
  process.stdout.write(`ready ${gateway.addresses.join(" ")}\n`);
  await stopped;
  await source.stop();
  return EXIT.done;
}

/**
 * As nginx's and systemd's users send them. Left to Node, one would open its debugger and the others
 * cut every request; SIGHUP at the end of a terminal still ends what the terminal had started.
 */
function obeySignals(gateway: Gateway): void {
  process.on("SIGUSR1", () => gateway.reopenLogs());
  process.on("SIGUSR2", () => void gateway.restart());
  if (!process.stdout.isTTY) process.on("SIGHUP", () => void gateway.reload());
}

function untilStopped(gateway: Gateway): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    const onSignal = (): void => {
      signals += 1;
      if (signals > 1) process.exit(EXIT.failed);
      gateway.stop().then(resolve, reject);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    process.on("SIGQUIT", onSignal);
    if (process.stdout.isTTY) process.on("SIGHUP", onSignal);
  });
}

/** Node's errors in words: which address or file, and what is wrong with it. */
function startProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const problem = START_ERROR.safeParse(error).data;
  if (problem === undefined) return error.message;
  return START_PROBLEMS[problem.code](whereOf(problem));
}

const START_ERROR = z.object({
  code: z.enum([
    "EADDRINUSE",
    "EACCES",
    "EADDRNOTAVAIL",
    "EINVAL",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ENOENT",
    "EISDIR",
  ]),
  address: z.string().optional(),
  hostname: z.string().optional(),
  port: z.number().optional(),
  path: z.string().optional(),
});

const START_PROBLEMS = {
  EADDRINUSE: (where: string) =>
    `cannot listen on ${where}: it is in use by another program${isUnix(where) ? ", or no socket" : ""}`,
  // For a unix socket Node tells a folder that is missing in this way, too.
  EACCES: (where: string) =>
    `cannot use ${where}: permission denied${isUnix(where) ? ", or its folder does not exist" : ""}`,
  EADDRNOTAVAIL: (where: string) => `cannot listen on ${where}: this machine has no such address`,
  // Such as a link-local address without its interface.
  EINVAL: (where: string) => `cannot listen on ${where}: this address is not complete`,
  ENOTFOUND: (where: string) => `cannot listen on ${where}: this name has no address`,
  EAI_AGAIN: (where: string) => `cannot listen on ${where}: this name cannot be looked up`,
  ENOENT: (where: string) => `cannot open ${where}: its folder does not exist`,
  EISDIR: (where: string) => `cannot open ${where}: it is a folder`,
};

function isUnix(where: string): boolean {
  return where.startsWith("unix:");
}

function whereOf({ address, hostname, port, path }: z.infer<typeof START_ERROR>): string {
  if (address === undefined) return hostname ?? path ?? "it";
  return port === undefined || port < 0 ? `unix:${address}` : `${address}:${port}`;
}
