import type { ExchangeRecord } from "../events.ts";
import { exchangeTitle } from "./log-ecs.ts";
import { jsonValue } from "./log-escape.ts";
import {
  afterQuestionMark,
  attemptList,
  beforeQuestionMark,
  endedAt,
  upstreamAddr,
  upstreamStatus,
  withoutPort,
} from "./log-variables.ts";

/** A number is an integer unless it is wrapped as a `double`; undefined leaves the attribute out. */
type Value = string | number | { readonly double: number } | undefined;

const INFO = { severityNumber: 9, severityText: "INFO" };
const ERROR = { severityNumber: 17, severityText: "ERROR" };
const RESOURCE = { attributes: attributesOf({ "service.name": "understudy" }) };
const SCOPE = { name: "understudy.access" };

/**
 * One exchange as a line of OTLP/JSON, as the collector's `otlpjsonfile` receiver reads it. Names
 * by OpenTelemetry's HTTP conventions, what they have no name for below `understudy`.
 * https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
export function formatOtlp(record: ExchangeRecord): string {
  return lineOf({
    timeUnixNano: nanos(endedAt(record)),
    ...(record.status >= 500 ? ERROR : INFO),
    body: { stringValue: exchangeTitle(record) },
    attributes: attributesOf({ ...httpAttributes(record), ...ownAttributes(record) }),
    traceId: record.traceId,
    spanId: record.trace?.spanId,
  });
}

/** A line about the log itself. */
export function otlpMissing(message: string, now: number): string {
  return lineOf({ timeUnixNano: nanos(now), ...ERROR, body: { stringValue: message } });
}

function lineOf(logRecord: object): string {
  const scopeLogs = [{ scope: SCOPE, logRecords: [logRecord] }];
  return jsonValue({ resourceLogs: [{ resource: RESOURCE, scopeLogs }] });
}

function httpAttributes(record: ExchangeRecord): Record<string, Value> {
  const { target } = record;
  return {
    "http.request.method": record.method || undefined,
    "url.scheme": record.scheme,
    "url.path": beforeQuestionMark(target) || undefined,
    "url.query": afterQuestionMark(target),
    "network.protocol.version": record.protocol.slice("HTTP/".length) || undefined,
    "http.response.status_code": record.status,
    "http.request.size": record.requestBytes,
    "http.response.size": record.sentBytes,
    "server.address": withoutPort(record.host) || undefined,
    "server.port": record.localPort,
    "client.address": record.clientAddress,
    "client.port": record.clientPort,
    "user_agent.original": record.requestField("user-agent"),
    "error.type": record.error,
  };
}

function ownAttributes(record: ExchangeRecord): Record<string, Value> {
  const { attempts } = record;
  return {
    "understudy.request_id": record.requestId,
    "understudy.request_time": inSeconds(record.requestTimeMs),
    "understudy.held_time": record.heldMs === 0 ? undefined : inSeconds(record.heldMs),
    "understudy.group": record.group,
    "understudy.pool": record.pool,
    "understudy.release": record.release,
    "understudy.affinity": record.affinity,
    "understudy.closed_by": record.closedBy,
    "understudy.attempts": attempts.length,
    "understudy.upstream_addr": attemptList(attempts, upstreamAddr),
    "understudy.upstream_status": attemptList(attempts, upstreamStatus),
    "understudy.why": attempts.findLast(({ cause }) => cause !== undefined)?.why ?? record.why,
  };
}

function attributesOf(values: Readonly<Record<string, Value>>): readonly object[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: Exclude<Value, undefined>): object {
  if (typeof value === "string") return { stringValue: value };
  // 64-bit integers are decimal strings in ProtoJSON.
  if (typeof value === "number") return { intValue: String(value) };
  return { doubleValue: value.double };
}

/** To the microsecond. */
function inSeconds(ms: number): Value {
  return { double: Math.round(ms * 1000) / 1e6 };
}

function nanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
