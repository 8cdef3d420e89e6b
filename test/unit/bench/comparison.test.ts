import { expect, test } from "vitest";
import { accountOf } from "../../../bench/failover/account.ts";
import { whereOthersAreBetter } from "../../../bench/failover/comparison.ts";
import type { PeerName } from "../../../bench/rig/peer-description.ts";
import type { Result } from "../../../demo/tally.ts";
import { failed, good, played } from "./played.ts";

test("the report says where another proxy did better, but not by how the machine felt", () => {
  const scenario = {
    id: "S1",
    title: "kill",
    durationMs: 7_000,
    peers: [
      playedBy("nginx", [good(1, 0), good(2, 3_000, { latencyMs: 20 })]),
      playedBy("undici", [good(1, 0)]),
      playedBy("haproxy", [failed(1, 0), failed(2, 3_000, { latencyMs: 1_900 })]),
      playedBy("understudy", [failed(1, 0), good(2, 3_000, { latencyMs: 2_000 })]),
    ],
  };

  expect(whereOthersAreBetter(scenario)).toEqual([
    "S1, nginx: failed GETs 0 against 1; slowest request 0.02 s against 2.00 s",
  ]);
});

function playedBy(peer: PeerName, results: readonly Result[]) {
  const { autocannon, tunnelsAlive, ...rest } = played("S1", results);
  const account = accountOf({ ...rest, autocannon, tunnelsAlive });
  const series = { slowest: [], failed: [], acts: [] };
  return { peer, played: true as const, account, autocannon, tunnelsAlive, series };
}
