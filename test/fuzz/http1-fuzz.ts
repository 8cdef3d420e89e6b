import { parseArgs } from "node:util";
import { checkAnswer } from "./check-answer.ts";
import { checkBody } from "./check-body.ts";
import { checkRequest } from "./check-request.ts";
import { ANSWERS, BODIES, REQUESTS } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

// node test/fuzz/http1-fuzz.ts [--seed N] [--seconds N] [--runs N]
// Every run has its own seed, so that one that fails is repeated by `--seed N --runs 1`.

const TARGETS = [
  { name: "request", seeds: REQUESTS, check: checkRequest },
  { name: "answer", seeds: ANSWERS, check: checkAnswer },
  { name: "body", seeds: BODIES, check: checkBody },
] as const;

/** A run longer than this hangs, for whoever sends its input, in milliseconds. */
const MAX_RUN_MS = 1000;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    seconds: { type: "string", default: "10" },
    runs: { type: "string", default: "Infinity" },
  },
});
const firstSeed = Number(values.seed);
const endsAt = performance.now() + Number(values.seconds) * 1000;
const maxRuns = Number(values.runs);

let runs = 0;
let failed = false;
while (!failed && runs < maxRuns && performance.now() < endsAt) {
  failed = !run(firstSeed + runs);
  runs += 1;
}
console.log(`http1 fuzz: ${runs} runs from seed ${firstSeed}, ${failed ? 1 : 0} failed`);
process.exitCode = failed ? 1 : 0;

function run(seed: number): boolean {
  const random = new Random(seed);
  const { name, seeds, check } = random.oneOf(TARGETS);
  const input = mutate(random.oneOf(seeds), random);
  const startedAt = performance.now();
  try {
    check(input, random);
    if (performance.now() - startedAt > MAX_RUN_MS) throw new Error("it takes too long");
    return true;
  } catch (error) {
    console.error(`${name} ${JSON.stringify(input)}\nrepeat with --seed ${seed} --runs 1`);
    console.error(error);
    return false;
  }
}
