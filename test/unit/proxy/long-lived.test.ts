import { expect, test } from "vitest";
import { leaveSpread, type LongLived } from "../../../src/proxy/long-lived.ts";

/** Long-lived connections, and when each was told to leave. */
function leaving(count: number): { all: readonly LongLived[]; times: number[] } {
  const times: number[] = [];
  const one: LongLived = {
    kind: "tunnel",
    place: -1,
    leave: (_, afterMs) => times.push(afterMs),
    stay() {},
    breakOff() {},
    destroy() {},
  };
  return { all: Array.from({ length: count }, () => one), times };
}

test("each goodbye has a part of the time for itself, and chance decides where in it", () => {
  const { all, times } = leaving(4);
  const chances = [0, 0.5, 0.25, 0.999];

  leaveSpread(all, { by: "drain", afterMs: 0, spreadMs: 20_000 }, () => chances.shift() ?? 0);

  expect(times).toEqual([0, 7500, 11_250, 19_995]);
});

test("without a time to spread over all leave together, when it is time", () => {
  const { all, times } = leaving(3);

  leaveSpread(all, { by: "drain", afterMs: 500, spreadMs: 0 }, () => 0.5);

  expect(times).toEqual([500, 500, 500]);
});
