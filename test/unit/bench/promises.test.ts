import { describe, expect, test } from "vitest";
import { brokenPromises } from "../../../bench/failover/promises.ts";
import type { Played } from "../../../bench/failover/played.ts";
import { arrival, failed, good, played } from "./played.ts";

const POST = { method: "POST" } as const;
const OWN_503 = { status: 503, pool: "backup", detail: "503" } as const;
const CUT = { status: undefined, kind: "short-body", detail: "cut" } as const;

describe("a promise is broken by", () => {
  const cases: readonly (readonly [what: string, played: Played, broken: readonly string[]])[] = [
    [
      "a GET that fails",
      played("S1", [good(1, 0), failed(2, 2_000)]),
      ["GET r-2: status, 502 after 5 ms"],
    ],
    [
      "a POST that fails without having been sent",
      played("S1", [failed(1, 2_000, POST)]),
      ["failed without being sent: POST r-1: status, 502 after 5 ms"],
    ],
    [
      "a POST that arrives twice",
      played("S1", [good(1, 0, POST)], {
        arrivals: { primary: [arrival(1, 0, "POST")], backup: [arrival(1, 9, "POST")] },
      }),
      ["1 POSTs arrived twice"],
    ],
    [
      "the answer to another request, also where nothing is promised",
      played("S10", [failed(1, 0, { kind: "wrong-id", status: 200, detail: "r-2" })]),
      ["a bent answer: GET r-1: wrong-id, r-2 after 5 ms"],
    ],
    [
      "what autocannon does not speak of",
      played("S3", [good(1, 0)], {
        autocannon: { ...played("S3", [good(1, 0)]).autocannon, lost: 3 },
      }),
      ["autocannon: 0 errors, 0 bad, 0 wrong, 3 lost"],
    ],
    [
      "a GET that waits although the server is known to hang",
      played("S2", [
        good(1, 2_000, { latencyMs: 3_050, pool: "backup" }),
        good(2, 4_900, { latencyMs: 1_500 }),
        good(3, 5_700, { latencyMs: 1_500 }),
      ]),
      ["waited although the server was known to hang: GET r-3: ok after 1500 ms"],
    ],
    [
      "a GET that is not rescued when the first one has timed out",
      played("S2", [good(1, 2_000, { latencyMs: 6_000, pool: "backup" })]),
      ["was not rescued in time: GET r-1: ok after 6000 ms"],
    ],
    [
      "a GET that waits for its own timeout after another one has had it",
      played("S2", [
        good(1, 2_000, { latencyMs: 3_000, pool: "backup" }),
        good(2, 4_500, { latencyMs: 3_000, pool: "backup" }),
      ]),
      ["was not rescued in time: GET r-2: ok after 3000 ms"],
    ],
    [
      "a made-up error where both apps answer 503",
      played("S3b", [failed(1, 3_000, OWN_503), failed(2, 3_000)]),
      ["GET r-2: status, 502 after 5 ms"],
    ],
    [
      "a GET that is cut although the primary never got it",
      played("S7", [failed(1, 3_000, CUT), failed(2, 3_000, CUT)], {
        arrivals: { primary: [arrival(1, 3_000)], backup: [arrival(2, 3_000)] },
      }),
      ["GET r-2: short-body, cut after 5 ms"],
    ],
  ];

  test.each(cases)("%s", (_, played, broken) => {
    expect(brokenPromises(played)).toEqual(broken);
  });
});

test.each([
  [
    "a POST that reached the app before it failed",
    { primary: [arrival(1, 2_000, "POST")], backup: [] },
    [],
  ],
  ["a POST that the gateway's log says was sent", { primary: [], backup: [] }, ["r-1"]],
] as const)("no promise is broken by %s", (_, arrivals, sent) => {
  const one = played("S1", [failed(1, 2_000, POST)], { arrivals, loggedAsSent: new Set(sent) });

  expect(brokenPromises(one)).toEqual([]);
});

test("a machine that stalls breaks no promise", () => {
  const slow = [good(1, 2_000, { latencyMs: 5_000, pool: "backup" })];

  expect(brokenPromises(played("S2", slow, { stallMs: 2_000 }))).toEqual([]);
});
