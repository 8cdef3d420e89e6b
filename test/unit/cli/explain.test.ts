import { expect, test } from "vitest";
import { linesOf } from "../../../src/cli/explain.ts";
import { viewExchange } from "../../../src/control/exchange-view.ts";
import { ExchangeStories } from "../../../src/process/exchange-story.ts";
import { attemptRecord, exchangeRecord } from "../../support/exchange-records.ts";

const REFUSED = attemptRecord({
  pool: "blue",
  release: "v1",
  server: "app_blue:3000",
  addr: "172.18.0.3:3000",
  phase: "connect",
  cause: "refused",
  status: 502,
  sentBytes: 0,
  receivedBytes: 0,
  totalMs: 0.42,
  counted: true,
  decision: "next",
  why: "refused the connection: on to the next server",
});
const ANSWERED = attemptRecord({
  n: 2,
  pool: "green",
  release: "v2",
  server: "app_green:3000",
  addr: "172.18.0.4:3000",
  totalMs: 3.1,
});

function told(...records: Parameters<typeof exchangeRecord>[0][]): readonly string[] {
  const stories = new ExchangeStories();
  for (const record of records) stories.note(exchangeRecord(record));
  return stories.take().flatMap((story) => linesOf(viewExchange(story)));
}

test("a request that was retried is told attempt by attempt, with cause and decision", () => {
  const attempts = [REFUSED, ANSWERED];

  expect(told({ attempts, pool: "green", release: "v2", heldMs: 1_500 })).toEqual([
    "GET /version?full=1 at 2026-11-21T03:10:08.078Z",
    "1. blue (release v1) app_blue:3000 at 172.18.0.3:3000: refused in phase connect, 0 bytes sent, 0 received, 0.4 ms; a strike",
    "   next: refused the connection: on to the next server",
    "2. green (release v2) app_green:3000 at 172.18.0.4:3000: answered 200, 3.1 ms",
    "it waited 1500 ms for a server, or for the door to open",
    "answered with 200 by green (release v2) after 45 ms",
  ]);
});

test("one that the gateway answered itself says why", () => {
  const lines = told({
    attempts: [],
    status: 503,
    error: "HELD",
    why: "1000 requests wait already",
  });

  expect(lines.at(-1)).toBe(
    "answered with 503 by the gateway itself: HELD, 1000 requests wait already after 45 ms",
  );
});

test("of those that went well at once nothing is kept, of all others the last", () => {
  expect(told({})).toEqual([]);

  const stories = new ExchangeStories();
  for (let n = 0; n < 1_000; n++) {
    stories.note(exchangeRecord({ attempts: [REFUSED, ANSWERED], requestId: `${n}` }));
  }
  const kept = stories.take();
  expect(kept.length).toBeLessThanOrEqual(200);
  expect(kept.at(-1)?.requestId).toBe("999");
  expect(stories.take()).toEqual([]);
});
