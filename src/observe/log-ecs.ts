import { isIP } from "node:net";
import type { ExchangeRecord } from "../events.ts";
import { attemptFields } from "./log-json.ts";
import { jsonValue } from "./log-escape.ts";
import { isoUtc } from "./log-time.ts";
import { afterQuestionMark, beforeQuestionMark, endedAt, withoutPort } from "./log-variables.ts";

/** The version whose names are used: https://www.elastic.co/docs/reference/ecs */
const ECS = { version: "8.17.0" };
const SERVICE = { name: "understudy" };

/** One exchange as a line of JSON in the Elastic Common Schema; what it has no name for is below `understudy`. */
export function formatEcs(record: ExchangeRecord): string {
  const hasFailed = record.status >= 500;
  return jsonValue({
    "@timestamp": isoUtc(endedAt(record)),
    "log.level": hasFailed ? "error" : "info",
    message: exchangeTitle(record),
    ecs: ECS,
    service: SERVICE,
    event: {
      kind: "event",
      category: ["web"],
      type: ["access"],
      dataset: "understudy.access",
      outcome: hasFailed ? "failure" : "success",
      // In nanoseconds.
      duration: Math.round(record.requestTimeMs * 1e6),
    },
    http: httpOf(record),
    url: urlOf(record),
    client: clientOf(record),
    server: { port: record.localPort },
    user_agent: original(record.requestField("user-agent")),
    trace: record.traceId === undefined ? undefined : { id: record.traceId },
    error: record.error === undefined ? undefined : { code: record.error, message: record.why },
    understudy: ownFields(record),
  });
}

/** A line about the log itself. */
export function ecsMissing(message: string, now: number): string {
  return jsonValue({
    "@timestamp": isoUtc(now),
    "log.level": "error",
    message,
    ecs: ECS,
    service: SERVICE,
  });
}

/** An exchange in a few words: `GET /version 200`. */
export function exchangeTitle({ method, target, status }: ExchangeRecord): string {
  return method === "" ? `no request ${status}` : `${method} ${target} ${status}`;
}

function httpOf(record: ExchangeRecord): object {
  return {
    version: record.protocol.slice("HTTP/".length) || undefined,
    request: {
      id: record.requestId,
      method: record.method || undefined,
      bytes: record.requestBytes,
      referrer: record.requestField("referer"),
    },
    response: {
      status_code: record.status,
      bytes: record.sentBytes,
      body: { bytes: record.sentBodyBytes },
    },
  };
}

function urlOf({ target, host, scheme }: ExchangeRecord): object | undefined {
  if (target === "") return undefined;
  return {
    original: target,
    path: beforeQuestionMark(target),
    query: afterQuestionMark(target),
    domain: withoutPort(host) || undefined,
    scheme,
  };
}

function clientOf({ clientAddress, clientPort }: ExchangeRecord): object {
  const ip = isIP(clientAddress) === 0 ? undefined : clientAddress;
  return { address: clientAddress, ip, port: clientPort };
}

function original(text: string | undefined): object | undefined {
  return text === undefined ? undefined : { original: text };
}

function ownFields(record: ExchangeRecord): object {
  const { attempts } = record;
  return {
    group: record.group,
    pool: record.pool,
    release: record.release,
    affinity: record.affinity,
    held_ms: record.heldMs === 0 ? undefined : record.heldMs,
    closed_by: record.closedBy,
    attempts: attempts.length === 0 ? undefined : attempts.map(attemptFields),
  };
}
