import { z } from "zod";

const PROFILE = z.object({
  /** Microseconds of the monotonic clock. */
  startTime: z.number(),
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({
        functionName: z.string(),
        url: z.string(),
        lineNumber: z.number(),
      }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** Whose code ran. */
export type Owner = "own code" | "packages" | "node's JavaScript" | "native and kernel" | "garbage";

/** Time that a function itself took, without those that it called. */
export interface FunctionTime {
  readonly owner: Owner;
  /** As dist/ has it, or Node's name of the module; empty for native code. */
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly us: number;
}

/** Reads V8's CPU profile: busy time by function between two moments of the monotonic clock. */
export function readProfile(text: string, fromUs: number, toUs: number): readonly FunctionTime[] {
  const { startTime, nodes, samples, timeDeltas } = PROFILE.parse(JSON.parse(text));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, FunctionTime>();
  let now = startTime;
  for (const [index, id] of samples.entries()) {
    now += timeDeltas[index] ?? 0;
    // A sample stands for the time until the next one.
    const us = timeDeltas[index + 1] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === "(idle)" || now < fromUs || now > toUs)
      continue;
    const file = fileOf(frame.url);
    const key = `${frame.functionName} ${file} ${frame.lineNumber}`;
    const before = times.get(key)?.us ?? 0;
    const name = frame.functionName === "" ? "(anonymous)" : frame.functionName;
    const line = frame.lineNumber + 1;
    times.set(key, { owner: ownerOf(name, frame.url), file, name, line, us: before + us });
  }
  return [...times.values()].sort((a, b) => b.us - a.us);
}

function ownerOf(name: string, url: string): Owner {
  if (name === "(garbage collector)") return "garbage";
  if (url.startsWith("node:")) return "node's JavaScript";
  if (url.includes("/node_modules/")) return "packages";
  return url === "" ? "native and kernel" : "own code";
}

function fileOf(url: string): string {
  return url.replace(/^.*\/(?=dist\/|node_modules\/)/, "");
}
