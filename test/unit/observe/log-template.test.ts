import { describe, expect, test } from "vitest";
import type { ExchangeRecord } from "../../../src/events.ts";
import { compileTemplate, LOG_PRESETS } from "../../../src/observe/log-template.ts";
import { knownVariables } from "../../../src/observe/log-variables.ts";
import {
  attemptRecord,
  exchangeRecord,
  REFUSED_THEN_ANSWERED,
} from "../../support/exchange-records.ts";

function format(template: string, record = exchangeRecord()): string {
  const compiled = compileTemplate(template);
  return compiled.ok ? compiled.format(record) : `unknown ${compiled.unknown}`;
}

const failedOver = exchangeRecord({
  pool: "green",
  release: "v2",
  attempts: REFUSED_THEN_ANSWERED,
});
const rejected = exchangeRecord({
  method: "",
  target: "",
  protocol: "",
  host: "",
  status: 400,
  group: undefined,
  pool: undefined,
  release: undefined,
  attempts: [],
  error: "BAD_REQUEST",
});

function recordWith(value: string): ExchangeRecord {
  return exchangeRecord({ pool: value }, { request: { "user-agent": value } });
}

describe("a template", () => {
  test.each([
    ["$remote_addr:$remote_port $remote_user", "192.0.2.7:40001 -"],
    ["$request", "GET /version?full=1 HTTP/1.1"],
    ["$request_method $uri $args $request_uri", "GET /version full=1 /version?full=1"],
    ["$scheme://$host:$server_port $server_protocol", "http://shop.example:8080 HTTP/1.1"],
    ["$status $bytes_sent $body_bytes_sent $request_length", "200 300 136 120"],
    ["$request_time $msec", "0.045 1795230608.123"],
    ["$request_id $trace_id", "b7f1 -"],
    ["$group $pool $release $affinity $attempts $error $why", "app blue v1 - 1 - -"],
    ["$closed_by", "-"],
    ["$upstream_addr $upstream_status", "172.18.0.3:3000 200"],
    ["$http_user_agent|$upstream_http_x_app_pool", "-|-"],
    ["${status}ms$${pool}", "unknown $"],
    ["a${status}b$STATUS", "a200b200"],
    ["no variables", "no variables"],
    ["", ""],
  ])("%s", (template, line) => {
    expect(format(template)).toBe(line);
  });

  test.each([
    ["$upstream_addr", "172.18.0.3:3000, 172.18.0.4:3000"],
    ["$upstream_status", "502, 200"],
    ["$upstream_response_time", "0.000, 0.044"],
    ["$upstream_connect_time", "-, 0.001"],
    ["$upstream_header_time", "-, 0.040"],
    ["$upstream_bytes_sent $upstream_bytes_received", "0, 100 0, 280"],
    ["$pool $attempts $why", "green 2 nothing was sent"],
  ])("lists one value per attempt: %s", (template, line) => {
    expect(format(template, failedOver)).toBe(line);
  });

  test.each([
    ["$request", "-"],
    ["$host $uri $args $server_protocol", "- - - -"],
    ["$upstream_addr $upstream_status $upstream_response_time", "- - -"],
    ["$group $pool $release $error", "- - - BAD_REQUEST"],
  ])("writes - for what is not known: %s", (template, line) => {
    expect(format(template, rejected)).toBe(line);
  });

  test("writes - for the status of an attempt whose client left", () => {
    const attempts = [attemptRecord({ cause: "aborted", status: undefined })];

    expect(format("$upstream_status", exchangeRecord({ attempts }))).toBe("-");
  });

  test.each(["$nope", "${nope}", "$", "${status", "$http_", "$sent_http_etag"])(
    "refuses %s and tells what is known",
    (template) => {
      const unknown = template === "${status" ? "${" : template;
      expect(compileTemplate(template)).toEqual({
        ok: false,
        unknown,
        known: knownVariables(),
      });
    },
  );
});

describe("a value cannot leave its field", () => {
  test.each([
    ['x" 200 "y', String.raw`"x\x22 200 \x22y"`],
    ["x\r\n192.0.2.9 - -", String.raw`"x\x0D\x0A192.0.2.9 - -"`],
    ["\u001b[2Jx", String.raw`"\x1B[2Jx"`],
    ["a\\x22", String.raw`"a\x5Cx22"`],
    ["caf\u00c3\u00a9\u007f", String.raw`"caf\xC3\xA9\x7F"`],
    ["\u0142", String.raw`"\xC5\x82"`],
    ["", '""'],
  ])("between quotes: %j", (value, field) => {
    expect(format('"$http_user_agent"', recordWith(value))).toBe(field);
  });

  test.each([
    ["pool=$pool release=", String.raw`pool=blue\x20release=evil release=`],
    ["$pool|", "blue release=evil|"],
    ["[$pool]", "[blue release=evil]"],
    ["$pool", "blue release=evil"],
  ])("by the character that ends it in %j", (template, line) => {
    expect(format(template, recordWith("blue release=evil"))).toBe(line);
  });
});

describe("presets", () => {
  test("combined is nginx's", () => {
    const record = exchangeRecord({}, { request: { "user-agent": "curl/8" } });

    expect(format(LOG_PRESETS.combined, record)).toMatch(
      /^192\.0\.2\.7 - - \[\d\d\/Nov\/2026:\d\d:\d\d:08 [+-]\d{4}\] "GET \/version\?full=1 HTTP\/1\.1" 200 136 "-" "curl\/8"$/,
    );
  });

  test("blue_green shows which pool answered and what was tried", () => {
    const line = format(LOG_PRESETS.blue_green, failedOver);

    expect(line).toMatch(/^192\.0\.2\.7 - \[2026-11-2\dT\d\d:\d\d:08[+-]\d\d:\d\d\] /);
    expect(line.slice(line.indexOf('"'))).toBe(
      '"GET /version?full=1 HTTP/1.1" 200 pool=green release=v2 upstream_status=502, 200 ' +
        "upstream_addr=172.18.0.3:3000, 172.18.0.4:3000 latency=0.045",
    );
  });
});

test("each line has the values of its own exchange, whatever the one before had", () => {
  const compiled = compileTemplate('$pool "$http_user_agent" $status');
  if (!compiled.ok) throw new Error(compiled.unknown);
  const values = ["a", "a", 'a"', "b c", "a"];

  const lines = values.map((value) => compiled.format(recordWith(value)));

  expect(lines).toEqual([
    'a "a" 200',
    'a "a" 200',
    'a\\x22 "a\\x22" 200',
    'b\\x20c "b c" 200',
    'a "a" 200',
  ]);
});
