import { expect, test } from "vitest";
import { accountOf } from "../../../bench/failover/account.ts";
import { arrival, failed, good, played } from "./played.ts";

test("an account tells by method what failed, how long it took and who answered", () => {
  const results = [
    good(1, 0),
    failed(2, 2_100, { method: "POST", status: 503, pool: "primary", detail: "503" }),
    failed(3, 2_200, { method: "POST" }),
    failed(4, 2_200),
    good(5, 2_300, { pool: "backup", latencyMs: 1_500 }),
    good(6, 2_400, { pool: "backup" }),
    good(7, 6_500),
  ];
  const arrivals = {
    primary: [arrival(1, 0), arrival(2, 2_101, "POST"), arrival(7, 6_500)],
    backup: [arrival(5, 3_700), arrival(6, 2_401)],
  };

  expect(accountOf(played("S3", results, { arrivals }))).toEqual({
    issued: 7,
    failedGets: 1,
    failedPostsSent: 1,
    failedPostsUnseen: 1,
    ownErrors: 1,
    postsTwice: 0,
    inFlight: 0,
    slowestMs: 1_500,
    over1s: 1,
    backupServesMs: 395,
    primaryServesMs: 405,
    answeredByDead: 1,
    askedDead: 1,
  });
});
