import type { Forwarding } from "../../../src/http1/forward-request.ts";
import type { HeadLimits } from "../../../src/http1/limits.ts";
import { parseRequestHead } from "../../../src/http1/request-head.ts";
import type { RequestHead } from "../../../src/http1/request-head.ts";
import { parseResponseHead } from "../../../src/http1/response-head.ts";
import type { ResponseHead } from "../../../src/http1/response-head.ts";

export const LIMITS: HeadLimits = { headBytes: 2048, targetBytes: 64, fieldCount: 8 };

export const FORWARDING: Forwarding = {
  clientAddress: "192.0.2.7",
  scheme: "http",
  localPort: 8080,
  trusted: false,
  requestId: "r1",
  host: undefined,
  upgrade: false,
  expectContinue: false,
  hiddenCookie: undefined,
  trace: undefined,
};

/** Lines with their ends, and the empty line behind them. */
export function head(...lines: string[]): string {
  return [...lines, "", ""].join("\r\n");
}

/** The head of a GET with valid Host and these further lines. */
export function get(...lines: string[]): string {
  return head("GET / HTTP/1.1", "Host: a.example", ...lines);
}

/** The head of a POST with valid Host and these further lines. */
export function post(...lines: string[]): string {
  return head("POST / HTTP/1.1", "Host: a.example", ...lines);
}

export function readRequest(text: string, targetBytes = LIMITS.targetBytes): RequestHead {
  const read = parseRequestHead(text, { ...LIMITS, targetBytes });
  if (read.kind === undefined) throw new Error(`${read.status} ${read.reason}`);
  return read;
}

export function readAnswer(text: string, method = "GET"): ResponseHead {
  const read = parseResponseHead(text, method, LIMITS);
  if (read.kind === undefined) throw new Error(read.reason);
  return read;
}
