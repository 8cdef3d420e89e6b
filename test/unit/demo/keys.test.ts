import { expect, test } from "vitest";
import { commandsIn } from "../../../demo/keys.ts";
import { render } from "../../../demo/styled-line.ts";

test.each([
  ["k", ["kill"]],
  ["K", ["kill"]],
  ["reh", ["revive", "error", "hang"]],
  ["s", ["method"]],
  ["ww", ["sockets", "sockets"]],
  ["q", ["quit"]],
  ["\u0003", ["quit"]],
  ["x1 \r", []],
  ["\u001b[A", []],
  ["\u001bk", []],
])("typing %j means %j", (typed, commands) => {
  expect(commandsIn(typed)).toEqual(commands);
});

test("a line is clipped by what is seen, and has no codes without colour", () => {
  const line = [{ text: "ab" }, { text: "cd", look: "good" }, { text: "ef", look: "bad" }] as const;

  expect([render(line, 5, false), render(line, 3, true), render(line, 9, true)]).toEqual([
    "abcde",
    "ab\u001b[32mc\u001b[0m",
    "ab\u001b[32mcd\u001b[0m\u001b[31mef\u001b[0m",
  ]);
});
