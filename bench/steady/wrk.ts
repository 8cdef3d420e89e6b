import { fileURLToPath } from "node:url";
import { z } from "zod";
import { run } from "../rig/run.ts";
import type { Case } from "./cases.ts";
import type { Load } from "./load.ts";

const SCRIPT = fileURLToPath(new URL("wrk.lua", import.meta.url));
const COUNTED = z.object({
  requests: z.number(),
  us: z.number(),
  badStatus: z.number(),
  broken: z.number(),
  p50Us: z.number(),
  p99Us: z.number(),
});

/** Load by wrk, for whole seconds. */
export async function runWrk(port: number, work: Case, seconds: number): Promise<Load> {
  const { path, connections, bodyBytes, pipelined, fields } = work;
  const flags = ["-t", "1", "-c", `${connections}`, "-d", `${seconds}s`, "-s", SCRIPT];
  const output = await run(
    [
      "wrk",
      ...flags,
      ...fields.flatMap((field) => ["-H", field]),
      `http://127.0.0.1:${port}${path}`,
    ],
    { BODY_BYTES: `${bodyBytes}`, PIPELINED: `${pipelined}` },
  );
  const counted = COUNTED.parse(JSON.parse(output.slice(output.lastIndexOf("{"))));
  return {
    requests: counted.requests,
    seconds: counted.us / 1e6,
    failed: counted.badStatus + counted.broken,
    p50Ms: counted.p50Us / 1e3,
    p99Ms: counted.p99Us / 1e3,
  };
}
