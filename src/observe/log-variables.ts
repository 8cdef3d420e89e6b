import type { ExchangeRecord } from "../events.ts";
import type { AttemptRecord } from "../failover/attempt.ts";
import { commonLogTime, isoLocal, seconds } from "./log-time.ts";

/**
 * What a template variable stands for; `undefined` is logged as `-`. `own` is digits and the like
 * that need no escaping, `form` is text of a known form, spaces of its own included, `free` is text
 * that a client or server chose and that must not run on into the next field.
 */
export interface Variable {
  readonly kind: "own" | "form" | "free";
  readonly read: (record: ExchangeRecord) => string | undefined;
}

/** Looks a variable up by nginx's name without the `$`, upper or lower case. */
export function findVariable(name: string): Variable | undefined {
  const lower = name.toLowerCase();
  return VARIABLES.get(lower) ?? fieldVariable(lower);
}

/** Every name that a template may use; `NAME` stands for a header field. */
export function knownVariables(): readonly string[] {
  return [...VARIABLES.keys(), "http_NAME", "upstream_http_NAME"];
}

const VARIABLES: ReadonlyMap<string, Variable> = new Map([
  ["affinity", own((r) => r.affinity)],
  ["args", free((r) => afterQuestionMark(r.target))],
  ["attempts", own((r) => String(r.attempts.length))],
  ["body_bytes_sent", own((r) => String(r.sentBodyBytes))],
  ["bytes_sent", own((r) => String(r.sentBytes))],
  ["closed_by", own((r) => r.closedBy)],
  ["error", own((r) => r.error)],
  ["group", free((r) => r.group)],
  ["held_time", own((r) => seconds(r.heldMs))],
  ["host", free((r) => known(r.host))],
  ["msec", own((r) => seconds(endedAt(r)))],
  ["pool", free((r) => r.pool)],
  ["release", free((r) => r.release)],
  ["remote_addr", form((r) => known(r.clientAddress))],
  ["remote_port", own((r) => String(r.clientPort))],
  ["remote_user", own(() => undefined)],
  ["request", form((r) => (r.method === "" ? undefined : `${r.method} ${r.target} ${r.protocol}`))],
  ["request_id", free((r) => r.requestId)],
  ["request_length", own((r) => String(r.requestBytes))],
  ["request_method", free((r) => known(r.method))],
  ["request_time", own((r) => seconds(r.requestTimeMs))],
  ["request_uri", free((r) => known(r.target))],
  ["scheme", own((r) => r.scheme)],
  ["server_port", own((r) => String(r.localPort))],
  ["server_protocol", free((r) => known(r.protocol))],
  ["status", own((r) => String(r.status))],
  ["time_iso8601", own((r) => isoLocal(endedAt(r)))],
  ["time_local", own((r) => commonLogTime(endedAt(r)))],
  ["trace_id", free((r) => r.traceId)],
  // The path as it was sent: unlike nginx's, not decoded.
  ["uri", free((r) => known(beforeQuestionMark(r.target)))],
  ["upstream_addr", perAttempt(upstreamAddr)],
  ["upstream_bytes_received", perAttempt((a) => String(a.receivedBytes))],
  ["upstream_bytes_sent", perAttempt((a) => String(a.sentBytes))],
  ["upstream_connect_time", perAttempt((a) => secondsOrDash(a.connectMs))],
  ["upstream_header_time", perAttempt((a) => secondsOrDash(a.headMs))],
  ["upstream_response_time", perAttempt(upstreamResponseTime)],
  ["upstream_status", perAttempt(upstreamStatus)],
  ["why", form((r) => r.attempts.findLast((a) => a.cause !== undefined)?.why ?? r.why)],
]);

/** nginx writes its line when an exchange has ended, and with the time of that moment. */
export function endedAt(record: ExchangeRecord): number {
  return record.startedAt + record.requestTimeMs;
}

/** One value per attempt, `, ` between them as in nginx; undefined where there was no attempt. */
export function attemptList(
  attempts: readonly AttemptRecord[],
  read: (attempt: AttemptRecord) => string,
): string | undefined {
  const first = attempts[0];
  if (first === undefined) return undefined;
  let list = read(first);
  for (let i = 1; i < attempts.length; i++) {
    const attempt = attempts[i];
    if (attempt !== undefined) list += `, ${read(attempt)}`;
  }
  return list;
}

export function upstreamAddr(attempt: AttemptRecord): string {
  return attempt.addr;
}

export function upstreamStatus(attempt: AttemptRecord): string {
  return attempt.status === undefined ? "-" : String(attempt.status);
}

export function upstreamResponseTime(attempt: AttemptRecord): string {
  return seconds(attempt.totalMs);
}

function fieldVariable(name: string): Variable | undefined {
  const match = /^(http|upstream_http)_([a-z0-9_]+)$/.exec(name);
  const field = match?.[2]?.replaceAll("_", "-");
  if (field === undefined) return undefined;
  return match?.[1] === "http"
    ? free((r) => r.requestField(field))
    : free((r) => r.answerField(field));
}

function free(read: Variable["read"]): Variable {
  return { kind: "free", read };
}

function form(read: Variable["read"]): Variable {
  return { kind: "form", read };
}

function own(read: Variable["read"]): Variable {
  return { kind: "own", read };
}

function perAttempt(read: (attempt: AttemptRecord) => string): Variable {
  return form((record) => attemptList(record.attempts, read));
}

function secondsOrDash(ms: number | undefined): string {
  return ms === undefined ? "-" : seconds(ms);
}

function known(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** A host without its port. */
export function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

/** The path of a target. */
export function beforeQuestionMark(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? target : target.slice(0, mark);
}

/** The query of a target, undefined where it has none. */
export function afterQuestionMark(target: string): string | undefined {
  const mark = target.indexOf("?");
  return mark === -1 ? undefined : known(target.slice(mark + 1));
}
