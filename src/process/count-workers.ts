import { availableParallelism } from "node:os";
import type { Config } from "../config/config.ts";

/** How many workers a configuration asks for; 0 = everything in one process. */
export function countWorkers({ workers }: Config): number {
  return workers === "auto" ? availableParallelism() : workers;
}
