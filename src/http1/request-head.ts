import { readConnection } from "./connection-options.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { explainRequestHead } from "./explain-head.ts";
import { fieldValue, withoutFields, withoutUnderscores } from "./field-lines.ts";
import { scanFields } from "./field-scan.ts";
import type { Framing } from "./framing.ts";
import { matchRequestHead } from "./head-grammar.ts";
import type { HeadLimits } from "./limits.ts";
import { checkPart, explainSize } from "./partial-head.ts";
import { problem } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";
import { RequestFields } from "./request-fields.ts";
import { checkFields, checkLine, readFraming, readUpgrade } from "./request-rules.ts";
import type { RequestLine } from "./request-rules.ts";
import { readTarget } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";

/** A request head that was found valid. */
export interface RequestHead {
  readonly kind: "request";
  /** As sent: case-sensitive. */
  readonly method: string;
  /** As the client sent it. */
  readonly rawTarget: string;
  /** As it goes on: origin-form, or "*" for OPTIONS. */
  readonly target: string;
  /** The target without its query. */
  readonly path: string;
  /** The value of Host or the authority of an absolute-form; "" for HTTP/1.0 without Host. */
  readonly host: string;
  readonly minor: 0 | 1;
  /** Never "close". */
  readonly framing: Framing;
  /** Whether the client's connection may be used again. */
  readonly keepAlive: boolean;
  /** Whether the client waits for 100 before it sends its body. */
  readonly expectsContinue: boolean;
  /** Lower-case protocol that may be upgraded to, else undefined; never "h2c". */
  readonly upgrade: string | undefined;
  /** Of the whole head, with its final empty line and the empty lines before it. */
  readonly byteLength: number;
  /** Lower-case names of the fields that go no further, be it in a trailer. */
  readonly nominated: ReadonlySet<string>;
  /** Lines that go on as they stand. */
  readonly passed: string;
  /** The fields that go on in another form, or not at all. */
  readonly fields: RequestFields;
  /** A value by lower-case name; repeated fields are joined by ", ", cookies by "; ". */
  field(name: string): string | undefined;
}

const CREDENTIALS: readonly string[] = ["authorization", "proxy-authorization", "cookie"];
/** Reads `text`, one whole head that ends with the empty line, come in over `scheme`. */
export function parseRequestHead(
  text: string,
  limits: HeadLimits,
  scheme: "http" | "https" = "http",
): RequestHead | HeadProblem {
  const start = lineStart(text);
  if (text.length > limits.headBytes) return explainSize(text, start, limits);
  const match = matchRequestHead(text);
  if (match === "wrong") return explainRequestHead(text);
  const line = readRequestLine(text, start);
  const refusal = checkLine(line.method, line.target, limits);
  if (refusal !== undefined) return refusal;
  const target = readTarget(line.target, line.method, scheme);
  if (target.kind === undefined) return target;
  const fields = new RequestFields();
  const count = scanFields(text, line.end, fields);
  if (match === "underscored") dropUnderscores(fields);
  if (count > limits.fieldCount) return problem(431, `more than ${limits.fieldCount} fields`);
  const framing = readFraming(line, fields);
  if (typeof framing === "object") return framing;
  const wrong = checkFields(line, fields);
  if (wrong !== undefined) return wrong;
  return new ParsedRequest(text, line, target, fields, framing);
}

class ParsedRequest implements RequestHead {
  readonly kind = "request";
  readonly method: string;
  readonly rawTarget: string;
  readonly target: string;
  readonly path: string;
  readonly host: string;
  readonly minor: 0 | 1;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: string | undefined;
  readonly byteLength: number;
  readonly nominated: ReadonlySet<string>;
  readonly passed: string;
  readonly fields: RequestFields;
  readonly #text: string;
  readonly #fieldsStart: number;

  constructor(
    text: string,
    line: RequestLine,
    target: RequestTarget,
    fields: RequestFields,
    framing: Framing,
  ) {
    const connection = readConnection(fields.connection);
    this.method = line.method;
    this.rawTarget = line.target;
    this.target = target.target;
    this.path = target.path;
    this.host = target.authority ?? fields.host ?? "";
    this.minor = line.minor;
    this.framing = framing;
    this.keepAlive = !connection.close && (line.minor === 1 || connection.keepAlive);
    this.expectsContinue = fields.expect !== undefined && line.minor === 1 && framing !== 0;
    this.upgrade = connection.upgrade && framing === 0 ? readUpgrade(line, fields) : undefined;
    this.byteLength = text.length;
    this.nominated = connection.nominated;
    this.passed = passedLines(line.method, connection, fields);
    this.fields = fields;
    this.#text = text;
    this.#fieldsStart = line.end;
  }

  /** What every log line asks for is at hand; looking through 20 fields takes 0.4 us each time. */
  field(name: string): string | undefined {
    switch (name) {
      case "user-agent":
        return this.fields.userAgent;
      case "referer":
        return this.fields.referer;
      case "traceparent":
        return this.fields.traceparent;
      case "x-request-id":
        return this.fields.requestId;
      default:
        return fieldValue(this.#text, this.#fieldsStart, name);
    }
  }
}

/** Offset behind the empty line that ends the head, or -1; what is before `from` was looked at. */
export function findHeadEnd(text: string, from = 0): number {
  const start = lineStart(text);
  if (text.startsWith("\r\n", start)) return start + 2;
  const end = text.indexOf("\r\n\r\n", Math.max(start, from));
  return end === -1 ? -1 : end + 4;
}

/**
 * A problem that can already be told from an unfinished head, so that garbage and oversize are
 * answered at once and not when the time is over; what is before `from` was checked.
 */
export function checkPartialHead(
  text: string,
  limits: HeadLimits,
  from = 0,
): HeadProblem | undefined {
  return checkPart(text, lineStart(text), limits, from);
}

/** RFC 9112 2.2 has a server skip an empty line before the first one; two are skipped. */
function lineStart(text: string): number {
  if (text.charCodeAt(0) !== 0x0d || !text.startsWith("\r\n")) return 0;
  return text.startsWith("\r\n", 2) ? 4 : 2;
}

function readRequestLine(text: string, at: number): RequestLine {
  const space = text.indexOf(" ", at);
  const end = text.indexOf("\r", space);
  return {
    method: text.slice(at, space),
    target: text.slice(space + 1, end - " HTTP/1.1".length),
    minor: text.charCodeAt(end - 1) === 0x31 ? 1 : 0,
    end: end + 2,
  };
}

function dropUnderscores(fields: RequestFields): void {
  fields.passed = withoutUnderscores(fields.passed);
  fields.claims = withoutUnderscores(fields.claims);
}

// RFC 9110 9.3.8: the answer to TRACE shows the request to scripts that may not see credentials.
function passedLines(method: string, connection: ConnectionOptions, fields: RequestFields): string {
  if (method !== "TRACE" && connection.nominated.size === 0) return fields.passed;
  const hidden = method === "TRACE" ? CREDENTIALS : [];
  return withoutFields(fields.passed, new Set([...hidden, ...connection.nominated]));
}
