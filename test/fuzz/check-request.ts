import { serialiseRequest } from "../../src/http1/forward-request.ts";
import { checkPartialHead, findHeadEnd, parseRequestHead } from "../../src/http1/request-head.ts";
import type { RequestHead } from "../../src/http1/request-head.ts";
import { cut } from "./mutate.ts";
import type { Random } from "./random.ts";
import { mustEqual, mustHold } from "./violation.ts";

const LIMITS = { headBytes: 4096, targetBytes: 1024, fieldCount: 32 };
const STATUSES = new Set([400, 405, 414, 417, 431, 501, 505]);

/** Reads `text` in pieces, as from a socket, and holds what was read against what goes on. */
export function checkRequest(text: string, random: Random): void {
  const { end, refused } = readInPieces(text, random);
  mustEqual(end, findHeadEnd(text), "the end of the head depends on how it is cut");
  const head = parseRequestHead(end === -1 ? text : text.slice(0, end), LIMITS);
  if (head.kind === undefined) {
    mustHold(STATUSES.has(head.status) && head.reason !== "", "a refusal without its reason");
    return;
  }
  mustEqual(refused, undefined, "a part of a valid head is refused");
  mustEqual(head.byteLength, end, "the head is longer than it is");
  checkForwarded(head, random);
}

function readInPieces(text: string, random: Random) {
  let read = "";
  let refused: unknown;
  for (const piece of cut(text, random)) {
    const from = read.length;
    read += piece;
    const end = findHeadEnd(read, Math.max(0, from - 3));
    if (end !== -1) return { end, refused };
    refused ??= checkPartialHead(read, LIMITS, from);
  }
  return { end: -1, refused };
}

function checkForwarded(head: RequestHead, random: Random): void {
  const forwarded = serialiseRequest(head, {
    clientAddress: "2001:db8::1",
    scheme: "http",
    localPort: 8080,
    trusted: random.below(2) === 0,
    requestId: "r1",
    host: head.host === "" ? "server" : undefined,
    upgrade: true,
    expectContinue: head.expectsContinue,
    hiddenCookie: undefined,
    trace: undefined,
  });
  const again = parseRequestHead(forwarded, { ...LIMITS, headBytes: 8192, fieldCount: 64 });
  if (again.kind === undefined) throw new Error(`what goes on is refused: ${again.reason}`);
  mustEqual(factsOf(again), factsOf(head), "what goes on is read in another way");
  mustEqual(
    withoutHops(again.passed).replaceAll(/^(?:X-Forwarded-|X-Real-IP:).*\r\n/gim, ""),
    `${withoutHops(head.passed)}Via: 1.${head.minor} understudy\r\n`,
    "lines are lost or added",
  );
  if (head.method !== "TRACE") {
    mustEqual(again.field("cookie"), head.field("cookie"), "the cookie is lost");
  }
  mustHold(!/^[^:]*_[^:]*:/m.test(forwarded.slice(forwarded.indexOf("\n"))), "a name with _");
  const names = forwarded.match(/^(?:host|content-length|transfer-encoding)(?=:)/gim) ?? [];
  mustHold(names.length <= 2, "framed or addressed twice");
}

function factsOf(head: RequestHead) {
  const { method, target, path, framing, upgrade, expectsContinue } = head;
  return { method, target, path, framing, upgrade, expectsContinue, host: head.host || "server" };
}

/** Max-Forwards is counted down. */
function withoutHops(lines: string): string {
  return lines.replaceAll(/^max-forwards:.*\r\n/gim, "");
}
