import { hasProgram } from "../rig/has-program.ts";
import { run } from "../rig/run.ts";

/** A share of the process's CPU time, 0..1. */
export interface Part {
  readonly name: string;
  readonly ratio: number;
}

/** Samples a process for a while; undefined where `perf` is missing or not allowed. */
export async function perfParts(
  pid: number,
  seconds: number,
  file: string,
): Promise<readonly Part[] | undefined> {
  if (!hasProgram("perf")) return undefined;
  try {
    const flags = ["-F", "997", "-o", file, "-p", `${pid}`];
    await run(["perf", "record", ...flags, "--", "sleep", `${seconds}`]);
    const report = await run(["perf", "report", "-i", file, "--stdio", "--sort", "dso"]);
    return partsOf(report);
  } catch (error) {
    console.error(`perf: ${String(error).slice(0, 300)}`);
    return undefined;
  }
}

/** `    45.12%  [kernel.kallsyms]` and so on; compiled JavaScript belongs to no file. */
function partsOf(report: string): readonly Part[] {
  const parts = new Map<string, number>();
  for (const [, share = "0", object = ""] of report.matchAll(/^ +([\d.]+)% +(\S.*?) *$/gm)) {
    const name = nameOf(object);
    parts.set(name, (parts.get(name) ?? 0) + Number(share) / 100);
  }
  return [...parts].map(([name, ratio]) => ({ name, ratio })).sort((a, b) => b.ratio - a.ratio);
}

function nameOf(object: string): string {
  if (object.startsWith("[kernel")) return "kernel";
  if (object === "node") return "node's binary: V8's runtime, garbage collector, libuv, C++";
  if (object.startsWith("[JIT]") || object.includes("perf-") || object.startsWith("//anon"))
    return "compiled JavaScript: own code, packages, node's JavaScript";
  return object.includes(".so") ? "system libraries" : object;
}
