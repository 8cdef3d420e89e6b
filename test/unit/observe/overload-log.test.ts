import { expect, test } from "vitest";
import { OverloadLog } from "../../../src/observe/overload-log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const nothing = () => {};

function setUp() {
  const told: object[] = [];
  const eventLog = {
    write: nothing,
    info: nothing,
    warn: (fields: object, message: string) => told.push({ ...fields, message }),
    error: nothing,
    reopen: nothing,
    close: async () => {},
  };
  const clock = new ManualClock();
  return { told, clock, overloads: new OverloadLog(eventLog, clock) };
}

test("an overload is told when it begins, and when it has been over for ten seconds", async () => {
  const { told, clock, overloads } = setUp();

  overloads.note("late");
  await clock.advance(9_000);
  overloads.note("late");
  overloads.note("late");
  await clock.advance(9_999);
  const before = [...told];
  await clock.advance(1);

  expect(before).toEqual([{ reason: "late", message: "turns requests away" }]);
  expect(told.slice(1)).toEqual([
    { reason: "late", requests: 3, seconds: 9, message: "turned requests away" },
  ]);
  expect(clock.pending).toBe(0);
});

test("each reason is told by itself, and stop() tells of what goes on", async () => {
  const { told, clock, overloads } = setUp();

  overloads.note("late");
  overloads.note("full");
  overloads.stop();

  expect(told).toEqual([
    { reason: "late", message: "turns requests away" },
    { reason: "full", message: "turns requests away" },
    { reason: "late", requests: 1, seconds: 0, message: "turned requests away" },
    { reason: "full", requests: 1, seconds: 0, message: "turned requests away" },
  ]);
  expect(clock.pending).toBe(0);
});
