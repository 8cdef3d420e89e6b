import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { App } from "./app-process.ts";
import { isPortTaken, startChild } from "./child.ts";
import type { Child } from "./child.ts";

/** Starts the gateway on the first of these ports that is free; 0 = any. Its files go to `folder`. */
export async function startGateway(
  ports: readonly number[],
  apps: readonly App[],
  folder: string,
  onLogLine: (line: string) => void,
): Promise<Child> {
  const [port, ...others] = ports;
  if (port === undefined) throw new Error("no port is free for the gateway");
  const file = join(folder, "understudy.yaml");
  await writeFile(file, configOf(port, apps, accessLogIn(folder)));
  try {
    const options = { onErrorLine: onLogLine, folder };
    return await startChild(["src/main.ts", "run", "--config", file], options);
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    return await startGateway(others, apps, folder, onLogLine);
  }
}

export function accessLogIn(folder: string): string {
  return join(folder, "access.log");
}

/** Impatient, so that a demo of half a minute has room for every act. */
function configOf(port: number, apps: readonly App[], log: string): string {
  const pools = apps.map(
    ({ pool, port }) =>
      `      ${pool}: { url: "http://127.0.0.1:${port}", max_fails: 1, fail_timeout: 1s }`,
  );
  return `listen: 127.0.0.1:${port}
access_log: { file: ${JSON.stringify(log)}, format: json }
shutdown_timeout: 2s
groups:
  demo:
    primary: blue
    affinity: socketio
    pools:
${pools.join("\n")}
    timeouts: { connect: 1s, send: 1s, read: 1s }
`;
}
