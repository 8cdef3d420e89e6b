import { describe, expect, test } from "vitest";
import { ErrorBudget } from "../../../src/slo/error-budget.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 21, 12);

/** So many requests a minute for a while, a part of them bad; ends at `until`. */
function spent(budget: ErrorBudget, forMs: number, bad: number, until = NOON): ErrorBudget {
  for (let at = until - forMs + MINUTE; at <= until; at += MINUTE) {
    budget.add({ all: 1_000, bad: bad * 1_000 }, at);
  }
  return budget;
}

describe("what is left", () => {
  test.each([
    ["of an untouched budget is all", 0, 1],
    ["where half of what may fail did is half", 0.0005, 0.5],
    ["where as much failed as may is nothing", 0.001, 0],
    ["where twice as much failed is less than nothing", 0.002, -1],
  ])("%s", (_, bad, left) => {
    const budget = spent(new ErrorBudget(), 2 * HOUR, bad);

    expect(budget.left(0.999, NOON)).toBeCloseTo(left, 9);
  });

  test("where nobody came is all", () => {
    expect(new ErrorBudget().left(0.999, NOON)).toBe(1);
  });

  test("forgets what is older than thirty days", () => {
    const budget = spent(new ErrorBudget(), HOUR, 1);

    expect(budget.period(NOON + 30 * DAY - HOUR).all).toBeGreaterThan(0);
    expect(budget.period(NOON + 30 * DAY + HOUR)).toEqual({ all: 0, bad: 0 });
  });
});

describe("a budget burns fast", () => {
  test.each([
    ["15 times too fast for an hour", HOUR, 0.015, 14.4],
    ["100 times too fast for ten minutes", 10 * MINUTE, 0.1, 14.4],
    ["7 times too fast for six hours", 6 * HOUR, 0.007, 6],
  ])("at %s", (_, forMs, bad, limit) => {
    expect(spent(new ErrorBudget(), forMs, bad).burns("fast", 0.999, NOON)?.limit).toBe(limit);
  });

  test.each([
    ["5 times too fast for six hours", 6 * HOUR, 0.005],
    ["not at all", HOUR, 0],
  ])("but not at %s", (_, forMs, bad) => {
    expect(spent(new ErrorBudget(), forMs, bad).burns("fast", 0.999, NOON)).toBeUndefined();
  });

  test("until shortly after it is over", () => {
    const budget = spent(new ErrorBudget(), HOUR, 0.05);
    spent(budget, 3 * MINUTE, 0, NOON + 3 * MINUTE);
    expect(budget.burns("fast", 0.999, NOON + 3 * MINUTE)?.limit).toBe(14.4);

    spent(budget, 37 * MINUTE, 0, NOON + 40 * MINUTE);
    expect(budget.burns("fast", 0.999, NOON + 40 * MINUTE)).toBeUndefined();
  });

  test("not for a few requests in the night", () => {
    const budget = new ErrorBudget();
    budget.add({ all: 5, bad: 1 }, NOON);

    expect(budget.burns("fast", 0.999, NOON)).toBeUndefined();
  });
});

test("a budget burns slowly at twice the rate that it allows for days", () => {
  const budget = spent(new ErrorBudget(), 3 * DAY, 0.002);

  expect(budget.burns("fast", 0.999, NOON)).toBeUndefined();
  expect(budget.burns("slow", 0.999, NOON)).toMatchObject({ limit: 1, overMs: 3 * DAY });
});

test("a budget is the same after a restart", () => {
  const before = spent(new ErrorBudget(), 8 * HOUR, 0.007);
  const after = new ErrorBudget(JSON.parse(JSON.stringify(before.kept)));

  expect(after.left(0.999, NOON)).toBe(before.left(0.999, NOON));
  expect(after.burns("fast", 0.999, NOON)).toEqual(before.burns("fast", 0.999, NOON));
});

test("it keeps no more than it looks back to", () => {
  const { minutes, hours } = spent(new ErrorBudget(), 31 * DAY, 0).kept;

  expect([minutes.length, hours.length]).toEqual([6 * 60, 30 * 24]);
});

test("a clock that is set back loses nothing", () => {
  const budget = new ErrorBudget();
  budget.add({ all: 100, bad: 1 }, NOON);
  budget.add({ all: 100, bad: 1 }, NOON - 2 * HOUR);

  expect(budget.period(NOON)).toEqual({ all: 200, bad: 2 });
});
