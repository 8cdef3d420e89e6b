import { expect, test } from "vitest";
import { median, middleHalf, spread } from "../../../bench/rig/statistics.ts";
import { figure, table } from "../../../bench/rig/table.ts";

test("the median is the value in the middle, the spread goes from end to end", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
  expect(spread([9, 10, 12])).toBeCloseTo(0.3);
  expect(median([])).toBeNaN();
});

test("the middle half lies between the quartiles", () => {
  expect(middleHalf([5, 1, 4, 2, 3])).toEqual([2, 4]);
  expect(middleHalf([1, 2])).toEqual([1.25, 1.75]);
  expect(middleHalf([7])).toEqual([7, 7]);
});

test.each([
  [0.1234, "0.123"],
  [12.34, "12.3"],
  [99.96, "100"],
  [123.4, "123"],
  [12_345.6, "12,346"],
  [0, "0"],
  [undefined, "-"],
  [Number.NaN, "-"],
])("%d is written %s", (value, text) => {
  expect(figure(value)).toBe(text);
});

test("a table is Markdown, its figures stand right", () => {
  expect(
    table(
      ["", "us"],
      [
        ["nginx", "9.5"],
        ["understudy", "12"],
      ],
    ),
  ).toBe(
    [
      "|            |  us |",
      "| ---------- | --: |",
      "| nginx      | 9.5 |",
      "| understudy |  12 |",
    ].join("\n"),
  );
});
