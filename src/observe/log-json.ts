import type { ExchangeRecord } from "../events.ts";
import type { AttemptRecord } from "../failover/attempt.ts";
import { jsonString, jsonValue } from "./log-escape.ts";
import { isoUtc, seconds } from "./log-time.ts";
import {
  attemptList,
  endedAt,
  upstreamAddr,
  upstreamResponseTime,
  upstreamStatus,
} from "./log-variables.ts";

/**
 * One exchange as one line of JSON, without its end of line; what is unknown is left out. Built by
 * hand on the hot path: 0.9 us a line, where JSON.stringify of an object made for it takes 2.1 us.
 */
export function formatJson(record: ExchangeRecord): string {
  return (
    `{"time":"${isoUtc(endedAt(record))}"${requestFields(record)}` +
    `,"status":${record.status},"bytes_sent":${record.sentBytes}` +
    `,"request_time":${seconds(record.requestTimeMs)}` +
    (record.heldMs === 0 ? "" : `,"held_time":${seconds(record.heldMs)}`) +
    `${endFields(record)}${poolFields(record)}${upstreamFields(record.attempts)}` +
    `${clientFields(record)}}`
  );
}

const FIELDS = {
  requestId: field("request_id"),
  method: field("method"),
  host: field("host"),
  path: field("path"),
  protocol: field("protocol"),
  group: field("group"),
  pool: field("pool"),
  release: field("release"),
  affinity: field("affinity"),
  upstreamAddr: field("upstream_addr"),
  upstreamStatus: field("upstream_status"),
  upstreamResponseTime: field("upstream_response_time"),
  client: field("client"),
  userAgent: field("user_agent"),
  referer: field("referer"),
  error: field("error"),
  why: field("why"),
} as const;

function requestFields(record: ExchangeRecord): string {
  return (
    FIELDS.requestId(record.requestId) +
    FIELDS.method(record.method) +
    FIELDS.host(record.host) +
    FIELDS.path(record.target) +
    FIELDS.protocol(record.protocol)
  );
}

function endFields({ closedBy, requestBytes }: ExchangeRecord): string {
  if (closedBy === undefined) return "";
  return `,"bytes_received":${requestBytes},"closed_by":"${closedBy}"`;
}

function poolFields(record: ExchangeRecord): string {
  return (
    FIELDS.group(record.group) +
    FIELDS.pool(record.pool) +
    FIELDS.release(record.release) +
    FIELDS.affinity(record.affinity)
  );
}

function upstreamFields(attempts: readonly AttemptRecord[]): string {
  if (attempts.length === 0) return "";
  const eventful = attempts.length > 1 || attempts[0]?.cause !== undefined;
  return (
    FIELDS.upstreamAddr(attemptList(attempts, upstreamAddr)) +
    FIELDS.upstreamStatus(attemptList(attempts, upstreamStatus)) +
    FIELDS.upstreamResponseTime(attemptList(attempts, upstreamResponseTime)) +
    (eventful ? `,"attempts":${jsonValue(attempts.map(attemptFields))}` : "")
  );
}

function clientFields(record: ExchangeRecord): string {
  return (
    FIELDS.client(record.clientAddress) +
    FIELDS.userAgent(record.requestField("user-agent")) +
    FIELDS.referer(record.requestField("referer")) +
    traceField(record.traceId) +
    FIELDS.error(record.error) +
    FIELDS.why(record.why)
  );
}

/** Hex digits, and others in each line: nothing to escape, nothing to keep. */
function traceField(traceId: string | undefined): string {
  return traceId === undefined ? "" : `,"trace_id":"${traceId}"`;
}

// Most fields repeat from line to line; comparing with the last value is cheaper than escaping.
function field(name: string): (value: string | undefined) => string {
  const key = `,"${name}":`;
  let last: string | undefined;
  let text = "";
  return (value) => {
    if (value !== last) {
      last = value;
      // join() makes one piece of it, which is cheaper to write again and again.
      text = value === undefined || value === "" ? "" : [key, jsonString(value)].join("");
    }
    return text;
  };
}

/** An attempt as plain data, by the names that the log and the admin API have. */
export function attemptFields(attempt: AttemptRecord) {
  return {
    n: attempt.n,
    pool: attempt.pool,
    release: attempt.release,
    server: attempt.server,
    addr: attempt.addr,
    reused: attempt.reused,
    phase: attempt.phase,
    cause: attempt.cause,
    sent_bytes: attempt.sentBytes,
    received_bytes: attempt.receivedBytes,
    connect_ms: rounded(attempt.connectMs),
    head_ms: rounded(attempt.headMs),
    total_ms: rounded(attempt.totalMs),
    status: attempt.status,
    counted: attempt.counted,
    decision: attempt.decision,
    why: attempt.why,
  };
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
}
