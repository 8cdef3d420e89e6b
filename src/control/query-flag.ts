import { z } from "zod";

/** `?force`, `?force=true`; missing or `?force=false` = not. */
export const queryFlag = z
  .enum(["", "true", "false", "1", "0"], { error: "must be true or false" })
  .optional()
  .transform((text) => text !== undefined && text !== "false" && text !== "0");
