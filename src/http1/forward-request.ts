import { withoutCookie } from "./cookies.ts";
import { isToken } from "./octets.ts";
import { fieldValue, withoutFields } from "./field-lines.ts";
import type { RequestHead } from "./request-head.ts";

/** What the gateway knows about a request besides its head. */
export interface Forwarding {
  /** "192.0.2.7", "2001:db8::1" or "unix:". */
  readonly clientAddress: string;
  readonly scheme: "http" | "https";
  /** Port that the client connected to; 0 = none (unix socket). */
  readonly localPort: number;
  /** Whether the client may speak for others: what it says of them is appended to, else replaced. */
  readonly trusted: boolean;
  readonly requestId: string;
  /** In place of the client's Host; undefined = that of the head. */
  readonly host: string | undefined;
  /** Passes on the head's upgrade. */
  readonly upgrade: boolean;
  /** Passes on Expect: 100-continue. */
  readonly expectContinue: boolean;
  /** Name of a cookie that does not go on; undefined = all do. */
  readonly hiddenCookie: string | undefined;
  /** In place of the client's `traceparent`; undefined = that one goes on as it is. */
  readonly trace:
    | {
        /** The field with its end of line. */
        readonly line: string;
        /** The client's `tracestate` belongs to the same trace. */
        readonly isContinued: boolean;
      }
    | undefined;
}

const MAX_FORWARDS: ReadonlySet<string> = new Set(["max-forwards"]);
const TRACE_FIELDS: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);
const TRACEPARENT: ReadonlySet<string> = new Set(["traceparent"]);

// Few and long pieces, here, in the answer's head and in the log line: with what repeats kept as one
// string, V8 needs 3,600 instructions instead of 7,000 to put a small GET's together and write them.
const VIA_AND_ID = [
  "Via: 1.0 understudy\r\nX-Request-Id: ",
  "Via: 1.1 understudy\r\nX-Request-Id: ",
] as const;

/** The head as it goes to a server: HTTP/1.1, for a connection that is kept, with one framing. */
export function serialiseRequest(head: RequestHead, forwarding: Forwarding): string {
  return (
    `${head.method} ${head.target} HTTP/1.1\r\nHost: ${forwarding.host ?? head.host}\r\n` +
    passedLines(head, forwarding) +
    framingLine(head) +
    originLines(head, forwarding) +
    VIA_AND_ID[head.minor] +
    forwarding.requestId +
    lastLines(head, forwarding)
  );
}

function framingLine(head: RequestHead): string {
  if (head.framing === "chunked") return "Transfer-Encoding: chunked\r\n";
  if (head.fields.contentLength === undefined) return "";
  return `Content-Length: ${head.framing}\r\n`;
}

/** From the end of the line before them to the empty line. */
function lastLines(head: RequestHead, forwarding: Forwarding): string {
  let lines = "\r\n";
  if (forwarding.expectContinue) lines += "Expect: 100-continue\r\n";
  if (forwarding.upgrade && head.upgrade !== undefined) {
    lines += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  }
  return `${lines}\r\n`;
}

/** Who asked for what, as the client's side saw it (RFC 7239 and the X-Forwarded-* before it). */
function originLines(head: RequestHead, forwarding: Forwarding): string {
  if (forwarding.trusted) return trustedLines(head, forwarding);
  if (!isAsBefore(head, forwarding)) {
    const { clientAddress, scheme, localPort } = forwarding;
    const lines = plainLines(head, forwarding);
    last = { host: head.host, clientAddress, scheme, localPort, lines };
  }
  return last.lines;
}

// The requests of a client follow each other, and name one host.
let last = { host: "", clientAddress: "", scheme: "", localPort: 0, lines: "" };

function isAsBefore({ host }: RequestHead, forwarding: Forwarding): boolean {
  const { clientAddress, scheme, localPort } = forwarding;
  return (
    last.clientAddress === clientAddress &&
    last.host === host &&
    last.localPort === localPort &&
    last.scheme === scheme
  );
}

function plainLines(head: RequestHead, forwarding: Forwarding): string {
  const { clientAddress, scheme, localPort } = forwarding;
  // join() makes one piece of them.
  return [
    `X-Forwarded-For: ${clientAddress}\r\nX-Forwarded-Proto: ${scheme}\r\n`,
    head.host === "" ? "" : `X-Forwarded-Host: ${head.host}\r\n`,
    localPort === 0 ? "" : `X-Forwarded-Port: ${localPort}\r\n`,
    `Forwarded: ${forwardedElement(head, forwarding)}\r\n`,
  ].join("");
}

function trustedLines(head: RequestHead, forwarding: Forwarding): string {
  const { fields } = head;
  const host = fields.forwardedHost ?? head.host;
  const port = fields.forwardedPort ?? (forwarding.localPort || "");
  return (
    `X-Forwarded-For: ${append(fields.forwardedFor, forwarding.clientAddress)}\r\n` +
    `X-Forwarded-Proto: ${fields.forwardedProto ?? forwarding.scheme}\r\n` +
    (host === "" ? "" : `X-Forwarded-Host: ${host}\r\n`) +
    (port === "" ? "" : `X-Forwarded-Port: ${port}\r\n`) +
    `Forwarded: ${append(fields.forwarded, forwardedElement(head, forwarding))}\r\n` +
    fields.claims
  );
}

function append(list: string | undefined, element: string): string {
  return list === undefined || list === "" ? element : `${list}, ${element}`;
}

function forwardedElement(head: RequestHead, forwarding: Forwarding): string {
  const host = head.host === "" ? "" : `;host=${isToken(head.host) ? head.host : `"${head.host}"`}`;
  return `for=${forwardedNode(forwarding.clientAddress)}${host};proto=${forwarding.scheme}`;
}

/** RFC 7239 6: IPv6 in brackets and quotes, and no name for a unix socket. */
function forwardedNode(address: string): string {
  if (address.startsWith("unix:")) return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

/** Without the `traceparent` that another takes the place of, and a `tracestate` of another trace. */
function withoutStale(lines: string, { fields }: RequestHead, isContinued: boolean): string {
  if (fields.traceparent === undefined && fields.tracestate === undefined) return lines;
  return withoutFields(lines, isContinued ? TRACEPARENT : TRACE_FIELDS);
}

/** RFC 9110 7.6.2: each hop of TRACE and OPTIONS counts Max-Forwards down. */
function passedLines(head: RequestHead, { hiddenCookie, trace }: Forwarding): string {
  const { method, passed } = head;
  let lines = hiddenCookie === undefined ? passed : withoutCookie(passed, hiddenCookie);
  if (trace !== undefined) {
    lines = withoutStale(lines, head, trace.isContinued) + trace.line;
  }
  if (method !== "OPTIONS" && method !== "TRACE") return lines;
  const hops = fieldValue(`${lines}\r\n`, 0, "max-forwards");
  if (hops === undefined || !/^[1-9][0-9]{0,8}$/.test(hops)) return lines;
  return `${withoutFields(lines, MAX_FORWARDS)}Max-Forwards: ${Number(hops) - 1}\r\n`;
}
