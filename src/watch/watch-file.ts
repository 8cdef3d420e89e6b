import { z } from "zod";
import { keptAlerts, type KeptAlerts } from "../alert/alert-file.ts";
import { KeptFile } from "../control/kept-file.ts";
import type { Place } from "./log-reader.ts";
import type { KeptPools } from "./pool-watch.ts";

/** What outlives a restart: one file, so that the place fits what was told. */
export interface KeptWatch {
  /** By the time of the log, in milliseconds since the epoch; undefined = nothing is kept. */
  readonly at: number | undefined;
  readonly places: readonly Place[];
  readonly pools: Readonly<Record<string, KeptPools>>;
  readonly alerts: KeptAlerts;
}

const kept = z.object({
  version: z.literal(1),
  at: z.number(),
  places: z.array(z.object({ ino: z.number(), head: z.string(), offset: z.number() })),
  pools: z.record(
    z.string(),
    z.object({
      primary: z
        .string()
        .optional()
        .transform((name) => name),
      serving: z
        .string()
        .optional()
        .transform((name) => name),
      since: z.number(),
      isDown: z.boolean(),
    }),
  ),
  alerts: keptAlerts,
});

/** Of a watch that has not begun yet. */
export const NOTHING_WATCHED: KeptWatch = {
  at: undefined,
  places: [],
  pools: {},
  alerts: { book: {}, waiting: {} },
};

/** Where a watch was, and what it has told, over a restart. */
export class WatchFile extends KeptFile<KeptWatch> {
  /** Without a path nothing is kept. */
  constructor(path: string | undefined, onTrouble: (reason: string) => void) {
    super({ path, parse: (json) => kept.parse(json), nothing: NOTHING_WATCHED, onTrouble });
  }
}
