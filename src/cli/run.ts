import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import type { Env } from "../config/interpolate.ts";
import { type Gateway, startGateway } from "../gateway.ts";
import { createNotifier, inheritedSockets, type Notifier } from "../process/systemd.ts";
import { launcherOf } from "../process/worker-process.ts";
import { EXIT } from "./exit-codes.ts";
import { FollowedConfig } from "./followed-config.ts";
import { openFilesWarning, readLimits } from "./open-files.ts";
import { runtimeWarning } from "./runtime-warning.ts";
import { stateFileOf } from "./state-file-of.ts";
import { startProblem } from "./start-problem.ts";

/** `understudy run`: serves until a signal, then ends in order; a second signal ends at once. */
export async function run(file: string, env: Env, version: string): Promise<number> {
  const source = new FollowedConfig(file, env);
  const first = source.read();
  for (const line of first.ok ? first.remarks : first.problems) process.stderr.write(`${line}\n`);
  if (!first.ok) return EXIT.usage;
  warn(runtimeWarning(process.versions.node));
  const inherited = inheritedSockets(env, process.pid);
  if (!inherited.ok) {
    warn(inherited.reason);
    return EXIT.usage;
  }
  let gateway: Gateway;
  try {
    gateway = await startGateway(first.config, {
      hash: first.hash,
      version,
      read: (previous) => source.read(previous),
      explain: startProblem,
      passed: inherited.sockets.map(({ fd }) => fd),
      stateFile: stateFileOf(file, first.config.stateDir),
      name: `understudy on ${hostname()}`,
      folder: dirname(resolve(file)),
      launch: launcherOf(process.argv[1] ?? ""),
      env,
    });
  } catch (error) {
    warn(startProblem(error));
    return EXIT.usage;
  }
  warn(openFilesWarning(first.config, readLimits()));
  const notifier = createNotifier(env, process.pid);
  obeySignals(gateway);
  // Who waits for "ready" may send a signal at once.
  const stopped = untilStopped(gateway, notifier);
  source.follow(() => void gateway.reload());
  process.stdout.write(`ready ${gateway.addresses.join(" ")}\n`);
  void notifier.ready().then(warn);
  await stopped;
  await source.stop();
  return EXIT.done;
}

function warn(text: string | undefined): void {
  if (text !== undefined) process.stderr.write(`understudy: ${text}\n`);
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

function untilStopped(gateway: Gateway, notifier: Notifier): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    const onSignal = (): void => {
      signals += 1;
      if (signals > 1) {
        void gateway.kill().then(() => process.exit(EXIT.failed));
        return;
      }
      void notifier.stopping();
      gateway.stop().then(resolve, reject);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    process.on("SIGQUIT", onSignal);
    if (process.stdout.isTTY) process.on("SIGHUP", onSignal);
  });
}
