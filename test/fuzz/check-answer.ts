import { serialiseResponse } from "../../src/http1/forward-response.ts";
import { checkPartialResponse, parseResponseHead } from "../../src/http1/response-head.ts";
import type { ResponseHead } from "../../src/http1/response-head.ts";
import type { Random } from "./random.ts";
import { mustEqual, mustHold } from "./violation.ts";

const LIMITS = { headBytes: 4096, targetBytes: 1024, fieldCount: 32 };

/** Reads `text` and holds what was read against what goes to the client. */
export function checkAnswer(text: string, random: Random): void {
  const method = random.oneOf(["GET", "HEAD"]);
  const head = parseResponseHead(text, method, LIMITS);
  if (head.kind === undefined) {
    mustHold(head.status === 502 && head.reason !== "", "a refusal without its reason");
    return;
  }
  const part = text.slice(0, random.below(text.length));
  mustEqual(checkPartialResponse(part, LIMITS), undefined, "a part of a valid head is refused");
  mustEqual(head.byteLength, text.length, "the head is longer than it is");
  checkDelivered(head, method);
}

function checkDelivered(head: ResponseHead, method: string): void {
  const keepAlive = head.framing !== "close";
  const delivery = { clientMinor: 1, keepAlive, framing: head.framing, extra: "" } as const;
  const delivered = serialiseResponse(head, delivery);
  const again = parseResponseHead(delivered, method, { ...LIMITS, headBytes: 8192 });
  if (again.kind === undefined) throw new Error(`what goes on is refused: ${again.reason}`);
  mustEqual(factsOf(again), factsOf(head), "what goes on is read in another way");
  const via = `Via: 1.${head.minor} understudy\r\n`;
  mustEqual(again.passed, head.passed + via, "lines are lost or added");
}

function factsOf(head: ResponseHead) {
  const { status, reason, framing, upgrade, appPool, releaseId, retryAfter } = head;
  const declares = status >= 200 && status !== 204;
  const contentLength = declares ? head.contentLength : undefined;
  return { status, reason, framing, upgrade, appPool, releaseId, retryAfter, contentLength };
}
