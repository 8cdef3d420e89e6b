import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

const LINE = z.object({
  request_id: z.string(),
  attempts: z.array(z.object({ sent_bytes: z.number() })).default([]),
});

/** The requests of which Understudy's JSON log says that bytes of them went to a server that failed. */
export function readSent(accessLog: string): ReadonlySet<string> {
  if (!existsSync(accessLog)) return new Set();
  const lines = readFileSync(accessLog, "utf8").split("\n");
  // Only where an attempt failed does a line tell of attempts; by far most do not.
  const told = lines.filter((line) => line.includes('"attempts"') && line.endsWith("}"));
  const sent = told
    .map((line) => LINE.parse(JSON.parse(line)))
    .filter(({ attempts }) => attempts.some((attempt) => attempt.sent_bytes > 0));
  return new Set(sent.map((line) => line.request_id));
}
