import { randomFillSync } from "node:crypto";
import type { TraceContext } from "../events.ts";

/** Version 00; of a later one what 00 has (https://www.w3.org/TR/trace-context/#versioning-of-traceparent). */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Digits of the ids. */
const TRACE_ID = 32;
const SPAN_ID = 16;

/** What a server is told in place of the client's `traceparent`. */
export interface NextSpan {
  /** Of the attempt. */
  readonly spanId: string;
  readonly traceparent: string;
  /** The client's `tracestate` belongs to the same trace. */
  readonly isContinued: boolean;
}

/**
 * The trace that a request belongs to: that of its `traceparent`, whose decision to record it is kept, else a
 * new one, of which the part `sample` is recorded.
 */
export function beginTrace(
  traceparent: string | undefined,
  sample: number,
  random: () => number,
): TraceContext {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  if (parent !== undefined) {
    const { traceId, spanId: parentId, isSampled } = parent;
    // What nobody records needs no span of its own.
    return { traceId, parentId, spanId: isSampled ? newSpanId() : parentId, isSampled };
  }
  const isSampled = random() < sample;
  return { traceId: randomHex(TRACE_ID), parentId: undefined, spanId: newSpanId(), isSampled };
}

/** An attempt's span; undefined where its server may hear what the client has said. */
export function nextSpan(trace: TraceContext): NextSpan | undefined {
  const { traceId, parentId, isSampled } = trace;
  const isContinued = parentId !== undefined;
  if (!isSampled && isContinued) return undefined;
  const spanId = isSampled ? newSpanId() : trace.spanId;
  return { spanId, traceparent: `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`, isContinued };
}

function newSpanId(): string {
  return randomHex(SPAN_ID);
}

function parseTraceparent(text: string) {
  const [, version = "", traceId = "", spanId = "", flags = "", more] =
    TRACEPARENT.exec(text) ?? [];
  const isKnown = version !== "" && version !== "ff" && (version !== "00" || more === undefined);
  if (!isKnown || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

// A piece of a long text costs a quarter of what an id of its own does.
const bytes = Buffer.alloc(4_096);
let digits = "";
let used = 0;

function randomHex(count: number): string {
  if (used + count > digits.length) {
    digits = randomFillSync(bytes).toString("hex");
    used = 0;
  }
  const id = digits.slice(used, used + count);
  used += count;
  // All zeros is no id.
  return id.startsWith("00000000") && ZEROS.test(id) ? randomHex(count) : id;
}
