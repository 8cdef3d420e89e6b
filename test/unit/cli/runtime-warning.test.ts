import { expect, test } from "vitest";
import { runtimeWarning } from "../../../src/cli/runtime-warning.ts";

test.each([
  ["24.0.0", true],
  ["24.18.0", true],
  ["24.18.1", false],
  ["24.19.0", false],
  ["25.9.0", true],
  ["26.5.0", true],
  ["26.5.1", false],
  ["26.10.0", false],
  ["27.0.0", false],
])("Node %s is warned of: %s", (version, isWarned) => {
  expect(runtimeWarning(version) !== undefined).toBe(isWarned);
});

test("the warning says what runs and what would be right", () => {
  expect(runtimeWarning("26.4.2")).toBe(
    "Node 26.4.2 has known security defects in its network code: use 24.18.1, 26.5.1 or newer",
  );
});
