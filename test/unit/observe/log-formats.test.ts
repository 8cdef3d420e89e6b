import { describe, expect, test } from "vitest";
import { logFormatOf } from "../../../src/observe/log-formats.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../../support/exchange-records.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const FAILED_OVER = exchangeRecord(
  { attempts: REFUSED_THEN_ANSWERED, pool: "green", traceId: TRACE },
  { request: { "user-agent": 'curl "8"' } },
);

describe("logfmt", () => {
  const { exchange } = logFormatOf("logfmt");

  test("writes the names of the JSON format, and why an attempt failed", () => {
    expect(exchange(FAILED_OVER)).toBe(
      "time=2026-11-21T03:10:08.123Z level=info request_id=b7f1 method=GET host=shop.example " +
        'path="/version?full=1" protocol=HTTP/1.1 status=200 bytes_sent=300 request_time=0.045 ' +
        'group=app pool=green release=v1 upstream_addr="172.18.0.3:3000, 172.18.0.4:3000" ' +
        'upstream_status="502, 200" upstream_response_time="0.000, 0.044" attempts=2 ' +
        `client=192.0.2.7 user_agent="curl \\"8\\"" trace_id=${TRACE} why="nothing was sent"`,
    );
  });

  test.each([
    ["/a", "path=/a "],
    ["/a b", 'path="/a b"'],
    ["/a=b", 'path="/a=b"'],
    ["/a\\b", String.raw`path="/a\\b"`],
    ["/caf\u00c3\u00a9", String.raw`path="/caf\u00e9"`],
  ])("no value runs on into the next: %j", (target, text) => {
    expect(exchange(exchangeRecord({ target }))).toContain(text);
  });
});

test("ecs has the names of the Elastic Common Schema, and its own below understudy", () => {
  const line = JSON.parse(logFormatOf("ecs").exchange(FAILED_OVER));

  expect(line).toMatchObject({
    "@timestamp": "2026-11-21T03:10:08.123Z",
    "log.level": "info",
    message: "GET /version?full=1 200",
    ecs: { version: "8.17.0" },
    event: { category: ["web"], outcome: "success", duration: 45_000_000 },
    http: {
      version: "1.1",
      request: { id: "b7f1", method: "GET", bytes: 120 },
      response: { status_code: 200, bytes: 300, body: { bytes: 136 } },
    },
    url: { original: "/version?full=1", path: "/version", query: "full=1", domain: "shop.example" },
    client: { address: "192.0.2.7", ip: "192.0.2.7", port: 40_001 },
    user_agent: { original: 'curl "8"' },
    trace: { id: TRACE },
    understudy: { group: "app", pool: "green", release: "v1" },
  });
  expect(line.understudy.attempts.map(({ cause }: { cause?: string }) => cause)).toEqual([
    "refused",
    undefined,
  ]);
});

test.each(["ecs", "otel"])("in %s a host stands without its port", (format) => {
  const { exchange } = logFormatOf(format);

  expect(exchange(exchangeRecord({ host: "[::1]:8080" }))).toContain('"[::1]"');
});

test("ecs tells an answer of the gateway's own as a failure, with its reason", () => {
  const record = exchangeRecord({ status: 502, error: "SERVER_FAILED", why: "all refused" });

  expect(JSON.parse(logFormatOf("ecs").exchange(record))).toMatchObject({
    "log.level": "error",
    event: { outcome: "failure" },
    error: { code: "SERVER_FAILED", message: "all refused" },
  });
});

describe("otel", () => {
  const { exchange } = logFormatOf("otel");

  test("is a log record of OTLP/JSON, integers as strings", () => {
    const line = JSON.parse(exchange(FAILED_OVER));
    const [{ resource, scopeLogs }] = line.resourceLogs;
    const [record] = scopeLogs[0].logRecords;

    expect(resource.attributes).toEqual([
      { key: "service.name", value: { stringValue: "understudy" } },
    ]);
    expect(record).toMatchObject({
      timeUnixNano: "1795230608123000000",
      severityNumber: 9,
      severityText: "INFO",
      body: { stringValue: "GET /version?full=1 200" },
      traceId: TRACE,
    });
    expect(record.attributes).toEqual(
      expect.arrayContaining([
        { key: "http.request.method", value: { stringValue: "GET" } },
        { key: "url.path", value: { stringValue: "/version" } },
        { key: "url.query", value: { stringValue: "full=1" } },
        { key: "http.response.status_code", value: { intValue: "200" } },
        { key: "understudy.request_time", value: { doubleValue: 0.045 } },
        { key: "understudy.pool", value: { stringValue: "green" } },
        { key: "understudy.attempts", value: { intValue: "2" } },
        { key: "understudy.why", value: { stringValue: "nothing was sent" } },
      ]),
    );
  });

  test("leaves out what is unknown", () => {
    const refused = exchangeRecord({ method: "", target: "", host: "", protocol: "", status: 400 });

    expect(exchange(refused)).not.toContain("url.path");
    expect(exchange(refused)).toContain('"stringValue":"no request 400"');
  });
});

test.each(["json", "logfmt", "ecs", "otel", "$status"])(
  "%s has a line for those that are missing, with their number and why",
  (format) => {
    const trouble = { file: "access.log", code: "ENOSPC", dropped: 7 };
    const line = logFormatOf(format).missing(trouble, Date.UTC(2026, 10, 21));

    expect(line).toMatch(/access log lines dropped.*7.*ENOSPC/);
    if (format === "json" || format === "ecs" || format === "otel") JSON.parse(line);
  },
);
