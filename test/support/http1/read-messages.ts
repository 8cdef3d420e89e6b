import { ChunkedDecoder } from "../../../src/http1/chunked.ts";
import type { Framing } from "../../../src/http1/framing.ts";
import { findHeadEnd, parseRequestHead } from "../../../src/http1/request-head.ts";
import { parseResponseHead } from "../../../src/http1/response-head.ts";

/** A message as the codec reads it from the wire. */
export interface ReadMessage {
  /** `METHOD target` or `status reason`. */
  readonly start: string;
  readonly minor: 0 | 1;
  field(name: string): string | undefined;
  /** The head as it came. */
  readonly headText: string;
  /** As latin1. */
  readonly body: string;
}

export interface ReadMessages {
  readonly messages: readonly ReadMessage[];
  /** How the reading ended: nothing left, refused (why), not whole, or not to be used again. */
  readonly end:
    | "clean"
    | "incomplete"
    | "closed"
    | { readonly status: number; readonly reason: string };
}

const LIMITS = { headBytes: 16_000, targetBytes: 8_000, fieldCount: 200 };

/** The requests that come in over one connection as `text` (latin1), and no more. */
export function readRequests(text: string): ReadMessages {
  const messages: ReadMessage[] = [];
  let rest = text;
  while (rest !== "") {
    const end = findHeadEnd(rest);
    if (end === -1) return { messages, end: "incomplete" };
    const head = parseRequestHead(rest.slice(0, end), LIMITS);
    if (head.kind === undefined) return { messages, end: head };
    const body = readBody(rest.slice(end), head.framing);
    if (typeof body === "string") return { messages, end: "incomplete" };
    if ("status" in body) return { messages, end: body };
    messages.push({
      start: `${head.method} ${head.rawTarget}`,
      minor: head.minor,
      field: (name) => head.field(name),
      headText: rest.slice(0, end),
      body: body.body,
    });
    // Node takes what follows a wish to upgrade for the other protocol.
    const wishesUpgrade = /upgrade/i.test(head.field("connection") ?? "");
    if (!head.keepAlive || wishesUpgrade) return { messages, end: "closed" };
    rest = body.rest;
  }
  return { messages, end: "clean" };
}

/** The answer to `method` that a server gives as `text` before it closes, interim ones first. */
export function readAnswers(text: string, method: string): ReadMessages {
  const messages: ReadMessage[] = [];
  let rest = text;
  for (;;) {
    const end = findHeadEnd(rest);
    if (end === -1) return { messages, end: "incomplete" };
    const head = parseResponseHead(rest.slice(0, end), method, LIMITS);
    if (head.kind === undefined) return { messages, end: head };
    const body = readBody(rest.slice(end), head.framing);
    if (typeof body === "string") return { messages, end: "incomplete" };
    if ("status" in body) return { messages, end: body };
    messages.push({
      start: `${head.status} ${head.reason}`,
      minor: head.minor,
      field: (name) => head.field(name),
      headText: rest.slice(0, end),
      body: body.body,
    });
    rest = body.rest;
    if (head.status >= 200 || head.status === 101) return { messages, end: "closed" };
  }
}

type Body =
  | { readonly body: string; readonly rest: string }
  | { readonly status: number; readonly reason: string }
  | "incomplete";

function readBody(text: string, framing: Framing): Body {
  if (framing === "close") return { body: text, rest: "" };
  if (framing === "chunked") return readChunks(text);
  if (text.length < framing) return "incomplete";
  return { body: text.slice(0, framing), rest: text.slice(framing) };
}

function readChunks(text: string): Body {
  const decoder = new ChunkedDecoder();
  const bytes = Buffer.from(text, "latin1");
  let body = "";
  const end = decoder.read(bytes, 0, bytes.length, (_, from, to) => {
    body += text.slice(from, to);
  });
  if (decoder.state === "done") return { body, rest: text.slice(end) };
  return decoder.state === "more" ? "incomplete" : { status: 400, reason: decoder.reason };
}
