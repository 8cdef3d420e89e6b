import { expect, test } from "vitest";
import { commonLogTime, isoLocal, isoUtc, seconds } from "../../../src/observe/log-time.ts";

test.each([
  [0, "0.000"],
  [0.4, "0.000"],
  [0.6, "0.001"],
  [45, "0.045"],
  [999.6, "1.000"],
  [1000, "1.000"],
  [61_234, "61.234"],
  [-3, "0.000"],
])("%d ms are %s seconds", (ms, text) => {
  expect(seconds(ms)).toBe(text);
});

test("the time of a line follows the clock, also back in time", () => {
  const at = Date.UTC(2026, 10, 21, 3, 10, 8);

  expect([at + 7.9, at + 999, at + 1000, at - 1].map(isoUtc)).toEqual([
    "2026-11-21T03:10:08.007Z",
    "2026-11-21T03:10:08.999Z",
    "2026-11-21T03:10:09.000Z",
    "2026-11-21T03:10:07.999Z",
  ]);
});

test("nginx's times are local and carry their distance from UTC", () => {
  const at = new Date(2026, 2, 5, 7, 8, 9).getTime();

  expect(isoLocal(at)).toMatch(/^2026-03-05T07:08:09[+-]\d\d:\d\d$/);
  expect(Date.parse(isoLocal(at))).toBe(at);
  expect(commonLogTime(at)).toMatch(/^05\/Mar\/2026:07:08:09 [+-]\d{4}$/);
});
