import { randomFillSync } from "node:crypto";
import type { TraceContext } from "../events.ts";

/** Version 00; of a later one what 00 has (https://www.w3.org/TR/trace-context/#versioning-of-traceparent). */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

/**
 * The trace that a request belongs to: that of its `traceparent`, whose decision to record it is kept, else a
 * new one, of which the part `sample` is recorded.
 */
export function beginTrace(
  traceparent: string | undefined,
  sample: number,
  random: () => number,
): TraceContext {
  const parent = parseTraceparent(traceparent);
  return {
    traceId: parent?.traceId ?? randomHex(TRACE_BYTES),
    parentId: parent?.spanId,
    spanId: randomHex(SPAN_BYTES),
    isSampled: parent?.isSampled ?? random() < sample,
  };
}

/** An attempt's span, and what its server is told of it. */
export function nextSpan({ traceId, parentId, isSampled }: TraceContext) {
  const spanId = randomHex(SPAN_BYTES);
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
  // The client's `tracestate` goes on in the client's trace alone.
  return { spanId, traceparent, isContinued: parentId !== undefined };
}

function parseTraceparent(text: string | undefined) {
  const [, version = "", traceId = "", spanId = "", flags = "", more] =
    TRACEPARENT.exec(text ?? "") ?? [];
  const isKnown = version !== "" && version !== "ff" && (version !== "00" || more === undefined);
  if (!isKnown || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

// Asking the system for each id costs more than everything else about it.
const pool = Buffer.alloc(4_096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString("hex", used, used + bytes);
  used += bytes;
  // All zeros is no id; nobody will ever see this happen.
  return ZEROS.test(id) ? randomHex(bytes) : id;
}
