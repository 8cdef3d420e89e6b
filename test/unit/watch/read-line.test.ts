import { describe, expect, test } from "vitest";
import { logFormatOf } from "../../../src/observe/log-formats.ts";
import { LOG_PRESETS } from "../../../src/observe/log-template.ts";
import { readLine } from "../../../src/watch/read-line.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../../support/exchange-records.ts";

const AT = Date.UTC(2026, 10, 21, 3, 10, 8);
const FAILED_OVER = {
  status: 200,
  pool: "green",
  release: "v2",
  attempts: [
    { addr: "127.0.0.1:3001", status: 502 },
    { addr: "127.0.0.1:3002", status: 200 },
  ],
  requestTimeMs: 15,
};
const PAIRS =
  "pool=green release=v2 upstream_status=502, 200 upstream_addr=127.0.0.1:3001, 127.0.0.1:3002";
const FRONT = '192.0.2.7 - - [21/Nov/2026:03:10:08 +0000] "GET / HTTP/1.1" 200';

describe("a request that moved on from blue to green is read from", () => {
  test.each([
    ["pairs behind nginx's front", `${FRONT} ${PAIRS} request_time=0.015`],
    ["a pool in front", `${PAIRS} status=200 time=2026-11-21T03:10:08+00:00 latency=0.015`],
    ["quoted lists", `${FRONT} ${PAIRS.replaceAll(/=(\d\S*, \S+)/g, '="$1"')} request_time=0.015`],
    ["upstream times alone", `${FRONT} ${PAIRS} upstream_response_time=0.005, 0.010`],
    [
      "nginx's JSON",
      JSON.stringify({
        time_iso8601: "2026-11-21T03:10:08+00:00",
        status: "200",
        pool: "green",
        release: "v2",
        upstream_status: "502, 200",
        upstream_addr: "127.0.0.1:3001, 127.0.0.1:3002",
        request_time: "0.015",
      }),
    ],
    ["$msec", `${PAIRS} status=200 msec=${AT / 1000}.000 request_time=0.015`],
  ])("%s", (_, line) => {
    expect(readLine(line)).toMatchObject({ ...FAILED_OVER, at: AT });
  });

  test.each(["json", "logfmt", LOG_PRESETS.blue_green])("our own %s", (format) => {
    const record = exchangeRecord({
      attempts: REFUSED_THEN_ANSWERED,
      pool: "green",
      release: "v2",
      requestTimeMs: 15,
    });

    expect(readLine(logFormatOf(format).exchange(record))).toMatchObject({
      status: 200,
      pool: "green",
      release: "v2",
      attempts: [{ status: 502 }, { status: 200 }],
      requestTimeMs: 15,
    });
  });
});

test("combined tells status and time", () => {
  const line = `${FRONT} 612 "-" "curl/8"`;

  expect(readLine(line)).toEqual({
    at: AT,
    status: 200,
    group: undefined,
    pool: undefined,
    release: undefined,
    attempts: [],
    requestTimeMs: undefined,
  });
});

test("a zone is reckoned with", () => {
  expect(readLine(FRONT.replace("03:10:08 +0000", "05:10:08 +0200"))?.at).toBe(AT);
});

test.each([
  [`${FRONT.replace("GET /", "GET /?pool=evil status=500")} pool=blue`],
  [`${FRONT} pool=blue 12 "https://evil/ pool=evil" "pool=evil \\" pool=evil"`],
])("what a client writes into its request is no pair of ours: %s", (line) => {
  expect(readLine(line)).toMatchObject({ status: 200, pool: "blue" });
});

test.each([
  ["nothing", ""],
  ["words", "hello world"],
  ["no JSON", '{"status":200'],
  ["JSON of something else", '{"status":"up"}'],
  ["null", "null"],
  ["a number", '{"status":7}'],
])("%s is no line", (_, line) => {
  expect(readLine(line)).toBeUndefined();
});

test("dashes are what is not known", () => {
  const line = `${FRONT.replace("200", "502")} pool=- release=- upstream_status=502 upstream_addr=app`;

  expect(readLine(line)).toMatchObject({ status: 502, pool: undefined, release: undefined });
});

test("a hostile line takes no time", () => {
  const began = process.cpuUsage();
  readLine(`${FRONT} ${'"'.repeat(30_000)}`);
  readLine(`a=${" ".repeat(30_000)}`);
  readLine("a= ".repeat(20_000));

  expect(process.cpuUsage(began).user).toBeLessThan(2_000_000);
});
