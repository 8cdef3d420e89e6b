import { isIP } from "node:net";
import {
  type Attributes,
  type HrTime,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { ExchangeRecord, TraceContext } from "../events.ts";
import type { AttemptRecord } from "../failover/attempt.ts";
import { beforeQuestionMark, withoutPort } from "../observe/log-variables.ts";

/** An exchange that is to be sent. */
export interface Ended {
  readonly record: ExchangeRecord;
  readonly trace: TraceContext;
  /** Milliseconds since the epoch when the clock of the attempts stood at 0. */
  readonly zeroAt: number;
}

const SCOPE = { name: "understudy" };
/** Others would make a name of their own each: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ */
const METHODS = new Set("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE QUERY".split(" "));

/** The span of an exchange that is sampled, and one of each attempt below it. Queries are left out. */
export function spansOf(
  { record, trace, zeroAt }: Ended,
  resource: Resource,
): readonly ReadableSpan[] {
  const exchange = spanOf(resource, trace, {
    id: trace.spanId,
    parentId: trace.parentId,
    isParentRemote: true,
    kind: SpanKind.SERVER,
    method: record.method,
    startMs: record.startedAt,
    endMs: record.startedAt + record.requestTimeMs,
    failure: record.status >= 500 ? (record.error ?? String(record.status)) : undefined,
    why: record.why ?? "",
    attributes: exchangeAttributes(record),
  });
  const attempts = record.attempts.flatMap((attempt) => {
    const { spanId: id, startedAt, totalMs, why } = attempt;
    if (id === undefined) return [];
    const startMs = zeroAt + startedAt;
    const span = spanOf(resource, trace, {
      id,
      parentId: trace.spanId,
      isParentRemote: false,
      kind: SpanKind.CLIENT,
      method: record.method,
      startMs,
      endMs: startMs + totalMs,
      failure: failureOf(attempt),
      why,
      attributes: attemptAttributes(attempt, record),
    });
    return [span];
  });
  return [exchange, ...attempts];
}

interface SpanFacts {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly isParentRemote: boolean;
  readonly kind: SpanKind;
  readonly method: string;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  /** `error.type`; undefined where all is well. */
  readonly failure: string | undefined;
  readonly why: string;
  readonly attributes: Attributes;
}

function spanOf(resource: Resource, trace: TraceContext, facts: SpanFacts): ReadableSpan {
  const { id, parentId, isParentRemote, kind, method, startMs, endMs, failure, why } = facts;
  const { traceId } = trace;
  const context = { traceId, spanId: id, traceFlags: TraceFlags.SAMPLED };
  return {
    name: METHODS.has(method) ? method : "HTTP",
    kind,
    spanContext: () => context,
    ...(parentId !== undefined && {
      parentSpanContext: { ...context, spanId: parentId, isRemote: isParentRemote },
    }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    status:
      failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, ...(why !== "" && { message: why }) },
    attributes: known({ ...facts.attributes, "error.type": failure }),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function exchangeAttributes(record: ExchangeRecord): Attributes {
  return {
    ...methodAttributes(record.method),
    "url.scheme": record.scheme,
    "url.path": beforeQuestionMark(record.target) || undefined,
    "network.protocol.version": record.protocol.slice("HTTP/".length) || undefined,
    "http.response.status_code": record.status,
    "server.address": withoutPort(record.host) || undefined,
    "server.port": record.localPort,
    "client.address": record.clientAddress,
    "client.port": record.clientPort,
    "user_agent.original": record.requestField("user-agent"),
    "understudy.request_id": record.requestId,
    "understudy.group": record.group,
    "understudy.pool": record.pool,
    "understudy.release": record.release,
    "understudy.affinity": record.affinity,
    "understudy.closed_by": record.closedBy,
    "understudy.held_ms": record.heldMs === 0 ? undefined : record.heldMs,
  };
}

function attemptAttributes(attempt: AttemptRecord, record: ExchangeRecord): Attributes {
  const { n, cause, status } = attempt;
  const isAnswered = cause === undefined || cause === "status";
  return {
    ...methodAttributes(record.method),
    "url.path": beforeQuestionMark(record.target) || undefined,
    ...placeAttributes("server.address", "server.port", attempt.server),
    ...placeAttributes("network.peer.address", "network.peer.port", attempt.addr),
    "http.response.status_code": isAnswered ? status : undefined,
    "http.request.resend_count": n === 1 ? undefined : n - 1,
    "understudy.pool": attempt.pool,
    "understudy.release": attempt.release,
    "understudy.reused": attempt.reused,
    "understudy.phase": cause === undefined ? undefined : attempt.phase,
    "understudy.decision": attempt.decision,
    "understudy.why": attempt.why || undefined,
  };
}

function methodAttributes(method: string): Attributes {
  if (method === "") return {};
  if (METHODS.has(method)) return { "http.request.method": method };
  return { "http.request.method": "_OTHER", "http.request.method_original": method };
}

/** `app_blue:3000`, `172.18.0.3:3000`, `[::1]:3000`; a name is no address of a peer. */
function placeAttributes(address: string, port: string, place: string): Attributes {
  const [, host = place, number] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [];
  if (address.startsWith("network.") && isIP(host) === 0) return {};
  return { [address]: host, [port]: number === undefined ? undefined : Number(number) };
}

/** What broke, or the status of an answer that says so. */
function failureOf({ cause, status = 0 }: AttemptRecord): string | undefined {
  if (cause !== undefined && cause !== "status") return cause;
  return status >= 400 ? String(status) : undefined;
}

function known(attributes: Attributes): Attributes {
  const kept: Attributes = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
