import { expect, test } from "vitest";
import { afterCrash } from "../../../src/process/respawn.ts";

test("the first crash is mended at once, further ones after pauses that grow to 5 s", () => {
  const pauses: number[] = [];
  let crashes: readonly number[] = [];
  for (let at = 0; at < 9; at++) {
    const next = afterCrash(crashes, at, false);
    crashes = next.crashes;
    pauses.push(next.pauseMs);
  }

  expect(pauses).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test("a crash is forgotten after a minute", () => {
  expect(afterCrash([0, 1], 60_001, false).pauseMs).toBe(0);
});

test("five crashes within a minute are said to be a loop", () => {
  expect(afterCrash([0, 1, 2], 3, false).isLoop).toBe(false);
  expect(afterCrash([0, 1, 2, 3], 4, false).isLoop).toBe(true);
});

test("while nobody serves the next start is never far", () => {
  expect(afterCrash([0, 1, 2, 3, 4, 5], 6, true).pauseMs).toBe(250);
});
