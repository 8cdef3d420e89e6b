import type { TraceContext } from "../events.ts";

/** Version 00; of a later one what 00 has (https://www.w3.org/TR/trace-context/#versioning-of-traceparent). */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

export interface Trace extends TraceContext {
  /** What every server is told of a trace that begins here and is not recorded. */
  readonly line: string | undefined;
}

/** What a server is told in place of the client's `traceparent`. */
export interface NextSpan {
  /** Of the attempt; undefined where it is not recorded. */
  readonly spanId: string | undefined;
  /** The field `traceparent`, its end of line with it. */
  readonly line: string;
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
): Trace {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  if (parent !== undefined) {
    const { traceId, spanId: parentId, isSampled } = parent;
    // What nobody records needs no span of its own.
    const spanId = isSampled ? newSpanId() : parentId;
    return { traceId, parentId, spanId, isSampled, line: undefined };
  }
  const line = newLine();
  const isSampled = random() < sample;
  return {
    traceId: line.slice(TRACE_ID.from, TRACE_ID.to),
    parentId: undefined,
    spanId: line.slice(SPAN_ID.from, SPAN_ID.to),
    isSampled,
    line: isSampled ? undefined : line,
  };
}

/** An attempt's span; undefined where its server may hear what the client has said. */
export function nextSpan({ traceId, parentId, isSampled, line }: Trace): NextSpan | undefined {
  if (isSampled) {
    const spanId = newSpanId();
    const own = `traceparent: 00-${traceId}-${spanId}-01\r\n`;
    return { spanId, line: own, isContinued: parentId !== undefined };
  }
  if (line === undefined) return undefined;
  return { spanId: undefined, line, isContinued: false };
}

function parseTraceparent(text: string) {
  const [, version = "", traceId = "", spanId = "", flags = "", more] =
    TRACEPARENT.exec(text) ?? [];
  const isKnown = version !== "" && version !== "ff" && (version !== "00" || more === undefined);
  if (!isKnown || ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Digits of the ids, and where they stand in a line. */
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const TRACE_ID = { from: 16, to: 48 };
const SPAN_ID = { from: 49, to: 65 };
const LINE_LENGTH = 70;

// A piece of a long text costs a quarter of what a text of its own does.
const words = new Uint32Array(384);
const bytes = Buffer.from(words.buffer);
let lines = "";
let used = 0;

/** Of a trace that nobody has heard of. Its ids are unlike all others; they are no secret. */
function newLine(): string {
  if (used === lines.length) {
    lines = manyLines();
    used = 0;
  }
  used += LINE_LENGTH;
  return lines.slice(used - LINE_LENGTH, used);
}

function newSpanId(): string {
  return newLine().slice(SPAN_ID.from, SPAN_ID.to);
}

function manyLines(): string {
  // Never 0: all zeros is no id.
  for (let n = 0; n < words.length; n++) words[n] = 1 + Math.random() * 0xff_ff_ff_ff;
  const digits = bytes.toString("hex");
  let text = "";
  for (let at = 0; at < digits.length; at += TRACE_DIGITS + SPAN_DIGITS) {
    const middle = at + TRACE_DIGITS;
    const traceId = digits.slice(at, middle);
    text += `traceparent: 00-${traceId}-${digits.slice(middle, middle + SPAN_DIGITS)}-00\r\n`;
  }
  return text;
}
