import { expect, test } from "vitest";
import { LoopDelay } from "../../../src/proxy/loop-delay.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const LIMIT_MS = 500;

/** The answers to the same question after turns of the loop that were so long, in milliseconds. */
async function answersAfter(...turns: readonly number[]): Promise<readonly boolean[]> {
  const clock = new ManualClock();
  const delay = new LoopDelay(clock);
  const answers = [delay.exceeds(LIMIT_MS)];
  for (const ms of turns) {
    clock.stall(ms);
    await clock.advance(0);
    answers.push(delay.exceeds(LIMIT_MS));
  }
  return answers;
}

test.each<[what: string, turns: readonly number[], answers: readonly boolean[]]>([
  ["turns in time", [100, 100, 150], [false, false, false, false]],
  ["one long stop", [60_000, 100, 100], [false, false, false, false]],
  ["long stops with turns in time between", [9_000, 100, 9_000], [false, false, false, false]],
  ["turns that are late within the limit", [600, 600, 600], [false, false, false, false]],
  ["turns that are too long", [601, 601, 601], [false, false, true, true]],
  ["a turn in time behind them", [601, 601, 100, 601], [false, false, true, false, false]],
])("after %s", async (_, turns, answers) => {
  expect(await answersAfter(...turns)).toEqual(answers);
});

test("a limit of 0 is never exceeded and needs no timer", async () => {
  const clock = new ManualClock();
  const delay = new LoopDelay(clock);

  expect([delay.exceeds(0), clock.pending]).toEqual([false, 0]);
});

test("while nobody asks there is no timer, and a stop of that time does not count", async () => {
  const clock = new ManualClock();
  const delay = new LoopDelay(clock);
  delay.exceeds(LIMIT_MS);
  clock.stall(5_000);
  await clock.advance(2_000);
  const pending = clock.pending;

  clock.stall(5_000);
  delay.exceeds(LIMIT_MS);
  clock.stall(5_000);
  await clock.advance(0);

  expect([pending, delay.exceeds(LIMIT_MS)]).toEqual([0, false]);
});

test("stop() leaves no timer", () => {
  const clock = new ManualClock();
  const delay = new LoopDelay(clock);
  delay.exceeds(LIMIT_MS);

  delay.stop();

  expect(clock.pending).toBe(0);
});
