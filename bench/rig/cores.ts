import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hasProgram } from "./has-program.ts";

/** The cores that this process may use, as it began. */
const CORES = readCores();

export const coreCount = CORES.length;

/** Whether the proxy can have a core of its own. */
export const canPin = coreCount > 1 && hasProgram("taskset");

/** A command that runs on the core of the proxy alone: the last one. */
export function onProxyCore(command: readonly string[]): readonly string[] {
  return canPin ? ["taskset", "-c", `${CORES.at(-1)}`, ...command] : command;
}

/** Keeps this process, and all that it starts from now on, off the core of the proxy. */
export function leaveProxyCore(): void {
  if (!canPin) return;
  const others = CORES.slice(0, -1).join(",");
  const { status, stderr } = spawnSync("taskset", ["-a", "-cp", others, `${process.pid}`]);
  if (status !== 0) throw new Error(`taskset: ${stderr.toString()}`);
}

/** `0-3,8` -> 0 1 2 3 8 */
function readCores(): readonly number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n);
  });
}
