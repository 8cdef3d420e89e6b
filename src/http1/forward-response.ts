import type { Framing } from "./framing.ts";
import type { ResponseHead } from "./response-head.ts";

/** How an answer goes to the client. */
export interface Delivery {
  readonly clientMinor: 0 | 1;
  /** Whether the client's connection stays open. */
  readonly keepAlive: boolean;
  /** How the client finds the end of the body; "chunked" only for HTTP/1.1. */
  readonly framing: Framing;
  /** Further lines, each with its CRLF; "" = none. */
  readonly extra: string;
}

const VIA = ["Via: 1.0 understudy\r\n", "Via: 1.1 understudy\r\n"] as const;

/** The head as it goes to the client. */
export function serialiseResponse(head: ResponseHead, delivery: Delivery): string {
  return (
    statusLine(head.status, head.reason) +
    head.passed +
    framingLine(head, delivery.framing) +
    connectionLines(head, delivery) +
    VIA[head.minor] +
    (delivery.extra === "" ? "\r\n" : `${delivery.extra}\r\n`)
  );
}

// Most answers are like the one before.
let last = { status: 0, reason: "", line: "" };

function statusLine(status: number, reason: string): string {
  if (last.status !== status || last.reason !== reason) {
    last = { status, reason, line: ["HTTP/1.1 ", status, " ", reason, "\r\n"].join("") };
  }
  return last.line;
}

function framingLine(head: ResponseHead, framing: Framing): string {
  if (head.isBodiless) {
    // RFC 9110 8.6: the length that an answer to GET would have; none in 1xx and 204.
    const declares = head.status >= 200 && head.status !== 204 && head.contentLength !== undefined;
    return declares ? `Content-Length: ${head.contentLength}\r\n` : "";
  }
  if (framing === "close") return "";
  return framing === "chunked"
    ? "Transfer-Encoding: chunked\r\n"
    : `Content-Length: ${framing}\r\n`;
}

function connectionLines(head: ResponseHead, delivery: Delivery): string {
  if (head.status < 200) {
    return head.upgrade === undefined ? "" : `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  }
  if (!delivery.keepAlive) return "Connection: close\r\n";
  return delivery.clientMinor === 0 ? "Connection: keep-alive\r\n" : "";
}
