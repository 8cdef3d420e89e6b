import { expect, test } from "vitest";
import type { ExchangeRecord } from "../../../src/events.ts";
import {
  addTraffic,
  noTraffic,
  sumTraffic,
  trafficSince,
} from "../../../src/observe/pool-traffic.ts";
import { REQUEST_KINDS } from "../../../src/observe/request-counts.ts";
import { TrafficTally } from "../../../src/observe/traffic-tally.ts";
import {
  attemptRecord,
  exchangeRecord,
  REFUSED_THEN_ANSWERED,
} from "../../support/exchange-records.ts";

test("requests are counted by pool, release, method and status", () => {
  expect(
    requestsOf([
      {},
      { status: 204 },
      { method: "POST", status: 503 },
      { status: 499 },
      { method: "BREW", status: 404 },
      { release: "v2" },
      { release: undefined, pool: undefined, attempts: [], status: 502 },
      { group: undefined, release: undefined, method: "", attempts: [], status: 400 },
    ]),
  ).toEqual([
    "app blue v1 GET 499: 1",
    "app blue v1 GET 2xx: 2",
    "app blue v1 POST 5xx: 1",
    "app blue v1 other 4xx: 1",
    "app blue v2 GET 2xx: 1",
    "app   GET 5xx: 1",
    "   other 4xx: 1",
  ]);
});

test("a server that names a new release each time fills no memory, here and where counts meet", () => {
  const tally = new TrafficTally();
  const other = new TrafficTally();
  for (let n = 0; n < 50; n += 1) {
    tally.count(exchangeRecord({ release: `v${n}` }));
    other.count(exchangeRecord({ release: `w${n}` }));
  }
  tally.count(exchangeRecord({ release: "x".repeat(101) }));

  const [own] = tally.all;
  const [sum] = sumTraffic([...tally.all, ...other.all]);

  expect(own?.releases.map(({ release }) => release).slice(18)).toEqual(["v18", "v19", "other"]);
  expect(sum?.releases).toHaveLength(21);
  expect(sum?.releases.at(-1)?.requests.reduce((all, count) => all + count)).toBe(31 + 50);
});

test("what was counted later is told apart from what was before", () => {
  const tally = new TrafficTally();
  tally.count(exchangeRecord());
  const [before = noTraffic("app", "blue")] = tally.takeChanged();
  expect(tally.takeChanged()).toEqual([]);
  tally.count(exchangeRecord({ status: 500, requestTimeMs: 7_000 }));

  const [now = noTraffic("app", "blue")] = tally.takeChanged();
  const since = trafficSince(now, before);

  expect(since).toMatchObject({ met: 1, failed: 1, durationsSumMs: 7_000 });
  expect(since.seconds).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
  expect(addTraffic(before, since)).toEqual(now);
});

test("a request that another pool answered well is saved there, and a failure of the first", () => {
  const tally = new TrafficTally();
  tally.count(exchangeRecord({ pool: "green", attempts: REFUSED_THEN_ANSWERED }));

  const told = Object.fromEntries(
    tally.all.map(({ pool, met, failed, saved }) => [pool, { met, failed, saved }]),
  );

  expect(told).toEqual({
    blue: { met: 1, failed: 1, saved: 0 },
    green: { met: 1, failed: 0, saved: 1 },
  });
});

test.each([
  ["the first attempt did well", { attempts: [attemptRecord()] }],
  ["it came to nothing all the same", { attempts: REFUSED_THEN_ANSWERED, status: 502 }],
  ["its client had left", { attempts: REFUSED_THEN_ANSWERED, status: 499 }],
])("no request is saved where %s", (_, changes) => {
  const tally = new TrafficTally();
  tally.count(exchangeRecord(changes));

  expect(tally.all.map(({ saved }) => saved).filter((saved) => saved > 0)).toEqual([]);
});

test("what takes longer than its group promises is counted as slow, tunnels are not", () => {
  const tally = new TrafficTally();
  tally.count(exchangeRecord({ requestTimeMs: 301 }));
  tally.limit(new Map([["app", 300]]));
  tally.count(exchangeRecord({ requestTimeMs: 300 }));
  tally.count(exchangeRecord({ requestTimeMs: 301 }));
  tally.count(
    exchangeRecord({ requestTimeMs: 301, pool: "green", attempts: REFUSED_THEN_ANSWERED }),
  );
  tally.count(exchangeRecord({ requestTimeMs: 9_000, closedBy: "client" }));
  tally.count(exchangeRecord({ requestTimeMs: 9_000, group: "other" }));
  tally.limit(new Map());
  tally.count(exchangeRecord({ requestTimeMs: 301 }));

  expect(tally.all.map(({ group, pool, slow }) => `${group} ${pool} ${slow}`)).toEqual([
    "app blue 1",
    "app green 1",
    "other blue 0",
  ]);
});

function requestsOf(changes: readonly Partial<ExchangeRecord>[]): readonly string[] {
  const tally = new TrafficTally();
  for (const one of changes) tally.count(exchangeRecord(one));
  return tally.all.flatMap(({ group, pool, releases }) =>
    releases.flatMap(({ release, requests }) =>
      REQUEST_KINDS.map(({ method, code }, kind) => ({
        words: `${group} ${pool} ${release} ${method} ${code}: ${requests[kind]}`,
        count: requests[kind] ?? 0,
      }))
        .filter(({ count }) => count > 0)
        .map(({ words }) => words),
    ),
  );
}
