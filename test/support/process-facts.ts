import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Sockets that a process has open, by what Linux tells of it. */
export function openSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).startsWith("socket:")).length;
}

/** Files and folders that the kernel watches for a process. */
export function openWatches(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  const facts = readdirSync(folder).map((fd) => textOf(`${folder}/${fd}`));
  return facts.join("\n").match(/^inotify wd/gm)?.length ?? 0;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Empty where it was closed in the meantime. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Empty where it was closed in the meantime. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The processes that a process has started and that still run. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return list.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether a process runs; one that has ended and waits for its parent's notice does not. */
export function isAlive(pid: number): boolean {
  const state = /^State:\s+(\w)/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  return state !== undefined && state !== "Z" && state !== "X";
}
