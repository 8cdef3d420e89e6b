import type { ExchangeRecord } from "../events.ts";
import { jsonString } from "./log-escape.ts";
import { isoUtc, seconds } from "./log-time.ts";
import {
  attemptList,
  endedAt,
  upstreamAddr,
  upstreamResponseTime,
  upstreamStatus,
} from "./log-variables.ts";

type Read = (record: ExchangeRecord) => string | undefined;

/** The names of the JSON format, in its order; for the attempts their number, where there was more than one. */
const FIELDS: readonly (readonly [name: string, read: Read])[] = [
  ["time", (r) => isoUtc(endedAt(r))],
  ["level", (r) => (r.status >= 500 ? "error" : "info")],
  ["request_id", (r) => r.requestId],
  ["method", (r) => r.method],
  ["host", (r) => r.host],
  ["path", (r) => r.target],
  ["protocol", (r) => r.protocol],
  ["status", (r) => String(r.status)],
  ["bytes_sent", (r) => String(r.sentBytes)],
  ["request_time", (r) => seconds(r.requestTimeMs)],
  ["held_time", (r) => (r.heldMs === 0 ? undefined : seconds(r.heldMs))],
  ["bytes_received", (r) => (r.closedBy === undefined ? undefined : String(r.requestBytes))],
  ["closed_by", (r) => r.closedBy],
  ["group", (r) => r.group],
  ["pool", (r) => r.pool],
  ["release", (r) => r.release],
  ["affinity", (r) => r.affinity],
  ["upstream_addr", (r) => attemptList(r.attempts, upstreamAddr)],
  ["upstream_status", (r) => attemptList(r.attempts, upstreamStatus)],
  ["upstream_response_time", (r) => attemptList(r.attempts, upstreamResponseTime)],
  ["attempts", (r) => (r.attempts.length > 1 ? String(r.attempts.length) : undefined)],
  ["client", (r) => r.clientAddress],
  ["user_agent", (r) => r.requestField("user-agent")],
  ["referer", (r) => r.requestField("referer")],
  ["trace_id", (r) => r.traceId],
  ["error", (r) => r.error],
  ["why", (r) => r.attempts.findLast(({ cause }) => cause !== undefined)?.why ?? r.why],
];

/** One exchange as `name=value` pairs; a value with a space, `=`, a quote or a control is quoted as in JSON. */
export function formatLogfmt(record: ExchangeRecord): string {
  let line = "";
  for (const [name, read] of FIELDS) {
    const value = read(record);
    if (value !== undefined && value !== "") line += `${line && " "}${name}=${valueText(value)}`;
  }
  return line;
}

function valueText(value: string): string {
  return BARE.test(value) ? value : jsonString(value);
}

const BARE = /^[!#-<>-[\]-~]+$/;
