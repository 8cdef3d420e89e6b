import { z } from "zod";

/** How the app treats the requests to `/echo`. */
export const MODES = [
  "ok",
  /** 503 */
  "error",
  /** A reset in the middle of the body. */
  "reset",
  /** Idle connections end after 0 to 20 ms, unannounced. */
  "idle-close",
  /** Every tenth request takes 2 s. */
  "slow",
] as const;

export type Mode = (typeof MODES)[number];

/** What the bench tells the app: another mode, or nothing but to report. */
export const ORDER = z.object({ mode: z.enum(MODES).optional() });
/** Its answer. `served`: answers since its start. */
export const REPORT = z.object({ served: z.number() });
