import { expect, test } from "vitest";
import { ShortageLog } from "../../../src/observe/shortage-log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("a shortage is told at once, and then every ten seconds with the number of requests", async () => {
  const told: object[] = [];
  const nothing = () => {};
  const eventLog = {
    write: nothing,
    info: nothing,
    warn: nothing,
    error: (fields: object) => told.push(fields),
    reopen: nothing,
    close: async () => {},
  };
  const clock = new ManualClock();
  const shortages = new ShortageLog(eventLog, clock);

  shortages.note("EMFILE");
  shortages.note("EMFILE");
  shortages.note("EMFILE");
  await clock.advance(10_000);
  shortages.note("EMFILE");

  expect(told).toEqual([
    { reason: "EMFILE", requests: 1 },
    { reason: "EMFILE", requests: 3 },
  ]);
});
