import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the operating system has charged a process and all its descendants with. */
export interface CpuTime {
  /** Milliseconds in the program's own code. */
  readonly userMs: number;
  /** Milliseconds in the kernel on its behalf. */
  readonly kernelMs: number;
}

// USER_HZ is 100 for every program, whatever the kernel's own clock (man 5 proc_pid_stat).
const TICK_MS = 10;

/** CPU time so far, children that have ended included. */
export function cpuTimeOf(root: number): CpuTime {
  let user = 0;
  let kernel = 0;
  for (const process of treeOf(root)) {
    user += process.userTicks;
    kernel += process.kernelTicks;
  }
  return { userMs: user * TICK_MS, kernelMs: kernel * TICK_MS };
}

/** Bytes of memory in use, pages that several processes share counted once (PSS). */
export function memoryOf(root: number): number {
  let kilobytes = 0;
  for (const { pid } of treeOf(root)) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Sockets that are open; one that several processes share counts for each. */
export function socketsOf(root: number): number {
  return treeOf(root)
    .flatMap(({ pid }) => readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`))
    .filter((file) => linkOf(file).startsWith("socket:")).length;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly userTicks: number;
  readonly kernelTicks: number;
}

function treeOf(root: number): readonly Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((process) => process !== undefined);
  const tree = all.filter(({ pid }) => pid === root);
  for (const process of tree) tree.push(...all.filter(({ parent }) => parent === process.pid));
  return tree;
}

function readProcess(pid: number): Process | undefined {
  const stat = readStat(pid);
  if (stat === undefined) return undefined;
  // The name, in brackets, may hold spaces and brackets: what follows is counted from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    parent: field(4),
    userTicks: field(14) + field(16),
    kernelTicks: field(15) + field(17),
  };
}

/** Empty where it was closed in the meantime. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}
