import { describe, expect, test } from "vitest";
import { beginTrace, nextSpan } from "../../../src/proxy/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const never = (): number => 1;

describe("a trace of the client's goes on", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ])("%s is recorded: %s", (traceparent, isSampled) => {
    expect(beginTrace(traceparent, isSampled ? 0 : 1, never)).toEqual({
      traceId: TRACE,
      parentId: SPAN,
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      isSampled,
      line: undefined,
    });
  });
});

describe("a new trace begins", () => {
  test.each([
    ["without one", undefined],
    ["with an empty one", ""],
    ["with zeros for a trace", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["with zeros for a span", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["with a version that is none", `ff-${TRACE}-${SPAN}-01`],
    ["with more than version 00 has", `00-${TRACE}-${SPAN}-01-more`],
    ["with capitals", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["with two of them", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ])("%s", (_, traceparent) => {
    const { traceId, parentId } = beginTrace(traceparent, 1, never);

    expect(traceId).toMatch(/^[\da-f]{32}$/);
    expect(traceId).not.toBe(TRACE);
    expect(parentId).toBeUndefined();
  });

  test("of which a part is recorded", () => {
    expect(beginTrace(undefined, 0.1, () => 0.09).isSampled).toBe(true);
    expect(beginTrace(undefined, 0.1, () => 0.1).isSampled).toBe(false);
    expect(beginTrace(undefined, 1, () => 0.999).isSampled).toBe(true);
    expect(beginTrace(undefined, 0, () => 0).isSampled).toBe(false);
  });
});

test("no id comes twice", () => {
  const ids = Array.from({ length: 10_000 }, () => beginTrace(undefined, 1, never)).flatMap(
    ({ traceId, spanId }) => [traceId, spanId],
  );

  expect(new Set(ids).size).toBe(20_000);
});

test("a server is told of the attempt's span", () => {
  const trace = beginTrace(`00-${TRACE}-${SPAN}-01`, 0, never);
  const next = nextSpan(trace);

  expect(next).toEqual({
    spanId: expect.stringMatching(/^[\da-f]{16}$/),
    line: `traceparent: 00-${TRACE}-${next?.spanId}-01\r\n`,
    isContinued: true,
  });
  expect(next?.spanId).not.toBe(trace.spanId);
});

test("a server hears what the client said where nobody records it", () => {
  expect(nextSpan(beginTrace(`00-${TRACE}-${SPAN}-00`, 1, never))).toBeUndefined();
});

test("a server hears that a trace which begins here is not recorded", () => {
  const trace = beginTrace(undefined, 0, never);

  const line = `traceparent: 00-${trace.traceId}-${trace.spanId}-00\r\n`;
  // Whoever answers next is told the same.
  for (let attempt = 1; attempt <= 2; attempt++) {
    expect(nextSpan(trace)).toEqual({ spanId: undefined, line, isContinued: false });
  }
});
