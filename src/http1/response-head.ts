import { readConnection, readProtocol } from "./connection-options.ts";
import { explainResponseHead } from "./explain-head.ts";
import { fieldValue, withoutFields } from "./field-lines.ts";
import { scanFields } from "./field-scan.ts";
import { readContentLength } from "./framing.ts";
import type { Framing } from "./framing.ts";
import { isResponseHead } from "./head-grammar.ts";
import type { HeadLimits } from "./limits.ts";
import { FORBIDDEN_IN_HEAD, hasForbidden } from "./partial-head.ts";
import { badAnswer } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";
import { ResponseFields } from "./response-fields.ts";

/** The head of an answer that was found valid. */
export interface ResponseHead {
  readonly kind: "response";
  readonly status: number;
  /** May be empty. */
  readonly reason: string;
  readonly minor: 0 | 1;
  /** 0 where no body follows, whatever the fields say: to HEAD, 1xx, 204, 304. */
  readonly framing: Framing;
  /** As declared, also where no body follows. */
  readonly contentLength: number | undefined;
  /** Whether the server's connection may be used again. */
  readonly keepAlive: boolean;
  /** Keep-Alive: timeout=N, in milliseconds. */
  readonly keepAliveTimeoutMs: number | undefined;
  /** Lower-case protocol of a 101 that switches. */
  readonly upgrade: string | undefined;
  /** Whether Retry-After was sent. */
  readonly retryAfter: boolean;
  /** Of the whole head, with its final empty line. */
  readonly byteLength: number;
  /** X-App-Pool. */
  readonly appPool: string | undefined;
  /** X-Release-Id. */
  readonly releaseId: string | undefined;
  /** Whether no body can follow: to HEAD, 1xx, 204, 304. */
  readonly isBodiless: boolean;
  /** Lower-case names of the fields that go no further, be it in a trailer. */
  readonly nominated: ReadonlySet<string>;
  /** Lines that go on as they stand. */
  readonly passed: string;
  /** A value by lower-case name; repeated fields are joined by ", ". */
  field(name: string): string | undefined;
}

/** Reads `text`, one whole head that ends with the empty line. */
export function parseResponseHead(
  text: string,
  requestMethod: string,
  limits: HeadLimits,
): ResponseHead | HeadProblem {
  if (text.length > limits.headBytes) return answerTooLarge(limits);
  if (!isResponseHead(text)) return explainResponseHead(text);
  const line = readStatusLine(text);
  const fields = new ResponseFields();
  const count = scanFields(text, line.end, fields);
  if (count > limits.fieldCount) return badAnswer(`more than ${limits.fieldCount} fields`);
  const framing = readFraming(line.minor, fields);
  if (typeof framing === "object") return framing;
  return new ParsedResponse(text, line, fields, framing, requestMethod);
}

/** A problem that can already be told from an unfinished head of an answer; what is before `from` was checked. */
export function checkPartialResponse(
  text: string,
  limits: HeadLimits,
  from = 0,
): HeadProblem | undefined {
  if (!text.startsWith("HTTP/1.".slice(0, text.length))) return explainResponseHead(text);
  if (text.length >= limits.headBytes) return answerTooLarge(limits);
  return hasForbidden(text, from) ? badAnswer(FORBIDDEN_IN_HEAD) : undefined;
}

interface StatusLine {
  readonly minor: 0 | 1;
  readonly status: number;
  readonly reason: string;
  readonly end: number;
}

class ParsedResponse implements ResponseHead {
  readonly kind = "response";
  readonly status: number;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly framing: Framing;
  readonly contentLength: number | undefined;
  readonly keepAlive: boolean;
  readonly keepAliveTimeoutMs: number | undefined;
  readonly upgrade: string | undefined;
  readonly retryAfter: boolean;
  readonly byteLength: number;
  readonly appPool: string | undefined;
  readonly releaseId: string | undefined;
  readonly isBodiless: boolean;
  readonly nominated: ReadonlySet<string>;
  readonly passed: string;
  readonly #text: string;
  readonly #fieldsStart: number;

  constructor(
    text: string,
    line: StatusLine,
    fields: ResponseFields,
    framing: Framing,
    requestMethod: string,
  ) {
    const { status, minor } = line;
    const connection = readConnection(fields.connection);
    this.status = status;
    this.reason = line.reason;
    this.minor = minor;
    this.isBodiless = requestMethod === "HEAD" || status < 200 || status === 204 || status === 304;
    this.framing = this.isBodiless ? 0 : framing;
    this.contentLength = typeof framing === "number" ? framing : undefined;
    this.keepAlive =
      !connection.close &&
      (minor === 1 || connection.keepAlive) &&
      this.framing !== "close" &&
      !isDoubtful(status, fields);
    this.keepAliveTimeoutMs = readTimeout(fields.keepAlive);
    this.upgrade = status === 101 && connection.upgrade ? readProtocol(fields.upgrade) : undefined;
    this.retryAfter = fields.retryAfter;
    this.byteLength = text.length;
    this.appPool = fields.appPool;
    this.releaseId = fields.releaseId;
    this.nominated = connection.nominated;
    this.passed =
      connection.nominated.size === 0
        ? fields.passed
        : withoutFields(fields.passed, connection.nominated);
    this.#text = text;
    this.#fieldsStart = line.end;
  }

  field(name: string): string | undefined {
    return fieldValue(this.#text, this.#fieldsStart, name);
  }
}

function readStatusLine(text: string): StatusLine {
  const end = text.indexOf("\r");
  return {
    minor: text.charCodeAt(7) === 0x31 ? 1 : 0,
    status: digit(text, 9) * 100 + digit(text, 10) * 10 + digit(text, 11),
    reason: text.slice(13, end),
    end: end + 2,
  };
}

function answerTooLarge(limits: HeadLimits): HeadProblem {
  return badAnswer(`head of the answer larger than ${limits.headBytes} bytes`);
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}

// RFC 9112 6.3: Transfer-Encoding wins over Content-Length, but that connection is not trusted.
function readFraming(minor: 0 | 1, fields: ResponseFields): Framing | HeadProblem {
  const { contentLength, transferEncoding } = fields;
  if (transferEncoding !== undefined) {
    if (minor === 0) return badAnswer("Transfer-Encoding in an HTTP/1.0 answer");
    if (transferEncoding.toLowerCase() === "chunked") return "chunked";
    return badAnswer("transfer coding of the answer other than chunked");
  }
  if (contentLength === undefined) return "close";
  return readContentLength(contentLength) ?? badAnswer("Content-Length is not one number");
}

/** Whether the server may mean another end of the message than we do. */
function isDoubtful(status: number, fields: ResponseFields): boolean {
  const { contentLength, transferEncoding } = fields;
  if (status < 200) return status === 101;
  if (status === 204) return transferEncoding !== undefined || Number(contentLength ?? 0) !== 0;
  return transferEncoding !== undefined && contentLength !== undefined;
}

function readTimeout(keepAlive: string | undefined): number | undefined {
  if (keepAlive === undefined) return undefined;
  const seconds = /(?:^|[,; \t])timeout=([0-9]{1,9})(?![0-9])/i.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
