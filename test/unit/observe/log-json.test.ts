import { expect, test } from "vitest";
import { formatJson } from "../../../src/observe/log-json.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../../support/exchange-records.ts";

test("an exchange is one object with its fields in a fixed order", () => {
  const record = exchangeRecord(
    { traceId: "4bf92f35" },
    { request: { "user-agent": "curl/8", referer: "https://shop.example/" } },
  );

  expect(formatJson(record)).toBe(
    '{"time":"2026-11-21T03:10:08.123Z","request_id":"b7f1","method":"GET","host":"shop.example",' +
      '"path":"/version?full=1","protocol":"HTTP/1.1","status":200,"bytes_sent":300,' +
      '"request_time":0.045,"group":"app","pool":"blue","release":"v1",' +
      '"upstream_addr":"172.18.0.3:3000","upstream_status":"200",' +
      '"upstream_response_time":"0.044","client":"192.0.2.7","user_agent":"curl/8",' +
      '"referer":"https://shop.example/","trace_id":"4bf92f35"}',
  );
});

test("a connection that stopped being HTTP tells its bytes both ways and who closed it", () => {
  const line = formatJson(exchangeRecord({ status: 101, closedBy: "drain" }));

  expect(line).toContain(
    '"status":101,"bytes_sent":300,"request_time":0.045,"bytes_received":120,"closed_by":"drain"',
  );
});

test("whether a client met the server that it was bound to is told where it is bound", () => {
  const line = JSON.parse(formatJson(exchangeRecord({ affinity: "lost" })));

  expect(line.affinity).toBe("lost");
});

test("attempts are told where one failed", () => {
  const line = JSON.parse(formatJson(exchangeRecord({ attempts: REFUSED_THEN_ANSWERED })));

  expect(line).toMatchObject({
    upstream_addr: "172.18.0.3:3000, 172.18.0.4:3000",
    upstream_status: "502, 200",
    upstream_response_time: "0.000, 0.044",
  });
  expect(line.attempts).toEqual([
    {
      n: 1,
      pool: "blue",
      release: "v1",
      server: "app_blue:3000",
      addr: "172.18.0.3:3000",
      reused: false,
      phase: "connect",
      cause: "refused",
      sent_bytes: 0,
      received_bytes: 0,
      total_ms: 0.3,
      status: 502,
      counted: true,
      decision: "next",
      why: "nothing was sent",
    },
    {
      n: 2,
      pool: "green",
      release: "v1",
      server: "app_green:3000",
      addr: "172.18.0.4:3000",
      reused: false,
      phase: "body",
      sent_bytes: 100,
      received_bytes: 280,
      connect_ms: 0.6,
      head_ms: 40.2,
      total_ms: 44.4,
      status: 200,
      counted: false,
      decision: "return",
      why: "a usable answer",
    },
  ]);
});

test("what is unknown is left out", () => {
  const record = exchangeRecord({
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
    why: "bare CR",
  });

  expect(JSON.parse(formatJson(record))).toEqual({
    time: "2026-11-21T03:10:08.123Z",
    request_id: "b7f1",
    status: 400,
    bytes_sent: 300,
    request_time: 0.045,
    client: "192.0.2.7",
    error: "BAD_REQUEST",
    why: "bare CR",
  });
});

test.each([
  ['x","status":500,"y":"', 'x","status":500,"y":"'],
  ["x\r\n{}", "x\r\n{}"],
  ["back\\slash \u001b[2J \u009b", "back\\slash \u001b[2J \u009b"],
  ["caf\u00c3\u00a9", "caf\u00e9"],
  ["caf\u00e9", "caf\u00e9"],
  ["\u00e2\u0080\u00ae", "\u202e"],
])("a client's %j stays in its field, in pure ASCII", (sent, read) => {
  const line = formatJson(exchangeRecord({}, { request: { "user-agent": sent } }));

  expect(line).toMatch(/^[ -~]+$/);
  expect(JSON.parse(line)).toMatchObject({ status: 200, user_agent: read });
});

test("a field never carries over from the line before", () => {
  const withAgent = exchangeRecord({ traceId: "t1" }, { request: { "user-agent": "curl/8" } });
  const without = exchangeRecord();

  const lines = [withAgent, without, withAgent].map((record) => JSON.parse(formatJson(record)));

  expect(lines.map((line) => [line.user_agent, line.trace_id])).toEqual([
    ["curl/8", "t1"],
    [undefined, undefined],
    ["curl/8", "t1"],
  ]);
});
