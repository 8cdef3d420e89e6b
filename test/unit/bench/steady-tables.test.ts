import { expect, test } from "vitest";
import type { PeerName } from "../../../bench/rig/peer-description.ts";
import { CASES } from "../../../bench/steady/cases.ts";
import type { ComparedRound, SteadyResult } from "../../../bench/steady/steady-result.ts";
import { steadyTables } from "../../../bench/steady/steady-tables.ts";

test("the verdict is the median of the ratios, not the ratio of the medians", () => {
  // The machine was three times as slow for the first pair, and Understudy always at 1.3.
  const tables = steadyTables(
    resultOf({
      nginx: [round(30, 1), round(10, 1), round(11, 1)],
      understudy: [round(39, 1.3), round(13, 1.3), round(14.3, 1.3)],
    }),
  );

  expect(tables).toMatch(/small GET, 32 connections +\| 11.0 \(1.00\) \| 14.3 \(1.30\)/);
  expect(tables).toMatch(/\| +1.30 \| 1.30 - 1.30 \| +3 \| 1.25 \| +1.4 \| within the limit/);
});

test("the spread of a peer is where the middle half of its ratios lies, that of nginx from end to end", () => {
  const tables = steadyTables(
    resultOf({
      nginx: [round(9, 1), round(10, 1), round(11, 1)],
      understudy: [1.2, 1.3, 1.4, 1.5, 9].map((ratio) => round(10, ratio)),
    }),
  );

  expect(tables).toMatch(/small GET, 32 connections +\| +20 % \| +1.30 - 1.50/);
});

test("where nginx does not play, there are figures and no verdict", () => {
  const tables = steadyTables(resultOf({ understudy: [round(10, undefined)] }));

  expect(tables).toMatch(/small GET, 32 connections +\| +10.0 \|/);
  expect(tables).not.toMatch(/LIMIT|goal met/);
});

function round(cpuUs: number, ratio: number | undefined): ComparedRound {
  const load = { requests: 1_000, seconds: 1, failed: 0, p50Ms: 1, p99Ms: 2 };
  return { ...load, cpuUs, ratio, kernelShare: 0.5, uncounted: 0 };
}

function resultOf(
  rounds: Readonly<Partial<Record<PeerName, readonly ComparedRound[]>>>,
): SteadyResult {
  const names = ["nginx", "understudy"] as const;
  const work = CASES.find(({ name }) => name === "get-32");
  if (work === undefined) throw new Error("there is no case get-32");
  const peers = names
    .filter((peer) => rounds[peer] !== undefined)
    .map((peer) => ({ peer, rounds: rounds[peer] ?? [] }));
  return {
    machine: {
      cpu: "",
      cores: 2,
      memoryGb: 1,
      kernel: "",
      node: "",
      pinned: true,
      versions: {},
    },
    missing: [],
    seconds: 1,
    cases: [{ case: work, peers }],
    crossCheck: undefined,
    memory: [],
    tunnels: [],
  };
}
