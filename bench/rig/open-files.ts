import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Lets this process, and all that it starts from now on, have `count` files open; where the system
 * does not allow it, the limit stays as it is.
 */
export function raiseOpenFiles(count: number): void {
  if (openFiles() >= count) return;
  spawnSync("prlimit", ["--pid", `${process.pid}`, `--nofile=${count}:${count}`]);
}

/** How many files this process may have open; what it starts has the same limit. */
export function openFiles(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 1_024);
}
