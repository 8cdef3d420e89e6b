import { STATUS_CODES } from "node:http";
import { type ErrorCode, ERRORS } from "../errors.ts";

export interface OwnAnswer {
  readonly code: ErrorCode;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What exactly is wrong, in words for the client; undefined = the code's own. */
  readonly detail: string | undefined;
  readonly requestId: string;
  /** The client's `Accept`. */
  readonly accept: string | undefined;
  /** The client's `Origin`. */
  readonly origin: string | undefined;
  readonly isHead: boolean;
  readonly keepAlive: boolean;
  /** Complete further lines, each with its line end. */
  readonly extra: string;
  /** A page of the group that replaces the body. */
  readonly page: { readonly type: string; readonly body: string } | undefined;
}

/** The bytes (latin1) of an answer that the gateway gives itself, and its body's length. */
export function writeOwnAnswer(answer: OwnAnswer): { text: string; bodyBytes: number } {
  const { status } = ERRORS[answer.code];
  const { type, body } = forEngineIo(answer.code) ?? answer.page ?? ownBody(answer);
  const bytes = Buffer.from(body, "utf8").toString("latin1");
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n` +
    // RFC 9110 6.6.1
    `Date: ${new Date(answer.at).toUTCString()}\r\n` +
    `Content-Type: ${type}\r\nContent-Length: ${bytes.length}\r\nCache-Control: no-store\r\n` +
    `${furtherLines(answer)}${answer.extra}X-Request-Id: ${answer.requestId}\r\n` +
    `Connection: ${answer.keepAlive ? "keep-alive" : "close"}\r\n\r\n`;
  return answer.isHead
    ? { text: head, bodyBytes: 0 }
    : { text: head + bytes, bodyBytes: bytes.length };
}

/** What a status asks for: RFC 9110 15.5.6 (Allow), 10.2.3 (Retry-After). */
const FURTHER_LINES: Partial<Record<ErrorCode, string>> = {
  METHOD_NOT_ALLOWED: "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n",
  OVERLOADED: "Retry-After: 1\r\n",
  STOPPING: "Retry-After: 1\r\n",
};

function furtherLines({ code, origin }: OwnAnswer): string {
  if (code !== "UNKNOWN_SESSION" || origin === undefined) return FURTHER_LINES[code] ?? "";
  // Without these a script of another origin cannot tell it from a network that is down.
  return (
    `Access-Control-Allow-Origin: ${origin}\r\nAccess-Control-Allow-Credentials: true\r\n` +
    "Vary: Origin\r\n"
  );
}

/** What Engine.IO itself answers, so that its clients begin anew at once. */
function forEngineIo(code: ErrorCode): { type: string; body: string } | undefined {
  if (code !== "UNKNOWN_SESSION") return undefined;
  return {
    type: "application/json",
    body: JSON.stringify({ code: 1, message: ERRORS[code].message }),
  };
}

function ownBody(answer: OwnAnswer): { type: string; body: string } {
  const { status, message } = ERRORS[answer.code];
  const detail = answer.detail ?? message;
  if (!prefersHtml(answer.accept)) {
    const body = { error: answer.code, status, message: detail, request_id: answer.requestId };
    return { type: "application/json", body: `${JSON.stringify(body)}\n` };
  }
  const title = `${status} ${STATUS_CODES[status] ?? "Error"}`;
  return {
    type: "text/html; charset=utf-8",
    body:
      `<!doctype html><meta charset="utf-8"><title>${title}</title>` +
      `<style>body{font:16px/1.5 system-ui;margin:15vh auto;max-width:36em;padding:0 1em}` +
      `code{color:#666}</style><h1>${title}</h1><p>${escapeHtml(detail)}.</p>` +
      `<p><code>${answer.code} ${escapeHtml(answer.requestId)}</code></p>\n`,
  };
}

/** A browser names text/html; an API client or curl gets JSON. */
function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = accept.indexOf("text/html");
  const json = accept.indexOf("application/json");
  return html >= 0 && (json < 0 || html < json);
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
