import { figure, percent, table } from "../rig/table.ts";
import type { FunctionTime } from "./cpu-profile.ts";
import type { Part } from "./perf.ts";

export interface ProfileResult {
  readonly title: string;
  readonly requests: number;
  /** Microseconds of CPU for each request, by the system's accounts, the profiler's own included. */
  readonly cpuUs: number;
  readonly kernelShare: number;
  readonly functions: readonly FunctionTime[];
  /** By `perf`, where it may be used. */
  readonly parts: readonly Part[] | undefined;
}

const TOP = 30;

export function profileTables(result: ProfileResult): string {
  const { title, requests, cpuUs, kernelShare, functions, parts } = result;
  return [
    `${title}: ${figure(cpuUs)} us of CPU per request (${requests.toLocaleString("en")} requests, ` +
      `profiler included); the kernel took ${percent(kernelShare)} of it.`,
    ...(parts === undefined
      ? ["(No perf here: the kernel's share is known, but not the share of node's binary.)"]
      : ["Where the processor was, by perf:", partTable(parts, cpuUs)]),
    "Whose code ran, by V8's profiler, which counts what a native function and the kernel do " +
      "beneath it as native:",
    groupTable(functions, ({ owner }) => owner, result),
    "Own code by file:",
    groupTable(
      functions.filter(({ owner }) => owner === "own code"),
      ({ file }) => file,
      result,
    ),
    `The ${TOP} functions that took most themselves:`,
    functionTable(functions.slice(0, TOP), result),
  ].join("\n\n");
}

function partTable(parts: readonly Part[], cpuUs: number): string {
  const rows = parts
    .filter(({ ratio }) => ratio >= 0.001)
    .map(({ name, ratio }) => [name, percent(ratio), figure(ratio * cpuUs)]);
  return table(["", "share", "us/request"], rows);
}

function groupTable(
  functions: readonly FunctionTime[],
  groupOf: (one: FunctionTime) => string,
  result: ProfileResult,
): string {
  const groups = new Map<string, number>();
  for (const one of functions) groups.set(groupOf(one), (groups.get(groupOf(one)) ?? 0) + one.us);
  const rows = [...groups]
    .sort(([, a], [, b]) => b - a)
    .map(([name, us]) => [name].concat(figuresOf(us, result)));
  return table(["", "share", "us/request"], rows);
}

function functionTable(functions: readonly FunctionTime[], result: ProfileResult): string {
  const rows = functions.map((one) => {
    const place = one.file === "" ? one.owner : `${one.file}:${one.line}`;
    return [`${one.name.slice(0, 60)} (${place})`, ...figuresOf(one.us, result)];
  });
  return table(["", "share", "us/request"], rows);
}

/** The share of all busy time, and the same as microseconds of a request. */
function figuresOf(us: number, { functions, cpuUs }: ProfileResult): readonly string[] {
  const ratio = us / functions.reduce((sum, one) => sum + one.us, 0);
  return [`${(ratio * 100).toFixed(1)} %`, figure(ratio * cpuUs)];
}
