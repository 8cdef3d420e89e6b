/**
 * Adds up vitest's JSON reports: `node scripts/count-tests.ts REPORT...` prints the passed and the
 * failed; with `--no-skipped` the names of those that did not run, exit 1 where there are any.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";

const REPORT = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

const files = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const tests = files.flatMap((file) =>
  REPORT.parse(JSON.parse(readFileSync(file, "utf8"))).testResults.flatMap(
    (result) => result.assertionResults,
  ),
);
const count = (status: string): number => tests.filter((test) => test.status === status).length;

if (process.argv.includes("--no-skipped")) {
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  for (const { fullName, status } of skipped) console.log(`${status}: ${fullName}`);
  if (skipped.length > 0 || tests.length === 0) process.exitCode = 1;
} else console.log(`${count("passed")} ${count("failed")}`);
