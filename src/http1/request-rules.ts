import { readProtocol } from "./connection-options.ts";
import { readContentLength, readTransferEncoding } from "./framing.ts";
import type { Framing } from "./framing.ts";
import { isHost } from "./host.ts";
import type { HeadLimits } from "./limits.ts";
import { checkLengths } from "./partial-head.ts";
import { badRequest, problem } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";
import type { RequestFields } from "./request-fields.ts";

/** The first line of a request. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly minor: 0 | 1;
  /** Offset behind its CRLF. */
  readonly end: number;
}

/** A line that fits the grammar, yet is not served. */
export function checkLine(
  method: string,
  target: string,
  limits: HeadLimits,
): HeadProblem | undefined {
  const tooLong = checkLengths(method, target, limits);
  if (tooLong !== undefined || method === "GET" || method === "POST") return tooLong;
  // In any case: a server that folds the case would open a tunnel that the gateway does not see.
  const isConnect = method.toUpperCase() === "CONNECT";
  return isConnect ? problem(405, "CONNECT is not supported") : undefined;
}

/** How the end of a request's body is found (RFC 9112 6.3). */
export function readFraming(line: RequestLine, fields: RequestFields): Framing | HeadProblem {
  const { contentLength, transferEncoding } = fields;
  if (transferEncoding === undefined) {
    if (contentLength === undefined) return 0;
    // A length sent twice is refused even if both agree: no honest client does it, and who reads
    // the one or the other is where smuggling begins.
    return readContentLength(contentLength) ?? badRequest("Content-Length is not one number");
  }
  if (contentLength !== undefined) return badRequest("both Content-Length and Transfer-Encoding");
  if (line.minor === 0) return badRequest("Transfer-Encoding in an HTTP/1.0 request");
  const coding = readTransferEncoding(transferEncoding);
  if (coding === "unknown") return problem(501, "transfer coding other than chunked");
  return coding === "chunked" ? coding : badRequest("Transfer-Encoding does not end with chunked");
}

/** Host, Expect and the body of TRACE (RFC 9110 7.2, 10.1.1, 9.3.8). */
export function checkFields(line: RequestLine, fields: RequestFields): HeadProblem | undefined {
  if (fields.host === undefined) {
    if (line.minor === 1) return badRequest("HTTP/1.1 request without Host");
  } else if (!isHost(fields.host)) return badRequest("Host is not one host and port");
  if (fields.expect !== undefined && fields.expect.toLowerCase() !== "100-continue") {
    return problem(417, "expectation other than 100-continue");
  }
  const hasBody = fields.contentLength !== undefined || fields.transferEncoding !== undefined;
  if (line.method === "TRACE" && hasBody) return badRequest("TRACE with a body");
  return undefined;
}

/**
 * The protocol that a request with Connection: upgrade and no body may be upgraded to (RFC 9110
 * 7.8, RFC 6455 4.1); what is not passed on as an upgrade is an ordinary request.
 */
export function readUpgrade(line: RequestLine, fields: RequestFields): string | undefined {
  const protocol = readProtocol(fields.upgrade);
  if (line.method !== "GET" || line.minor === 0 || protocol === "h2c") return undefined;
  const lacksKey = protocol === "websocket" && (fields.webSocketKey ?? "") === "";
  return lacksKey ? undefined : protocol;
}
