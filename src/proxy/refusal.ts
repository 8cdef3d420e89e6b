import type { Clock } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import type { HeadProblem } from "../http1/problem.ts";
import { type ClientFacts, ExchangeNotes } from "./exchange-notes.ts";
import { writeOwnAnswer } from "./own-answer.ts";

export interface Refusal {
  readonly text: string;
  readonly notes: ExchangeNotes;
}

/** The answer to what is no request, and its log line. */
export function writeRefusal(
  problem: HeadProblem,
  client: ClientFacts,
  requestBytes: number,
  clock: Clock,
): Refusal {
  const notes = new ExchangeNotes(client, undefined, clock);
  const code = codeOf(problem.status);
  const { text, bodyBytes } = writeOwnAnswer({
    code,
    at: clock.wall(),
    detail: problem.reason,
    requestId: notes.requestId,
    accept: undefined,
    origin: undefined,
    isHead: false,
    keepAlive: false,
    extra: "",
    page: undefined,
  });
  notes.status = problem.status;
  notes.error = code;
  notes.why = problem.reason;
  notes.requestBytes = requestBytes;
  notes.sentBytes = text.length;
  notes.sentBodyBytes = bodyBytes;
  return { text, notes };
}

function codeOf(status: number): ErrorCode {
  switch (status) {
    case 405:
      return "METHOD_NOT_ALLOWED";
    case 408:
      return "REQUEST_TIMEOUT";
    case 414:
      return "URI_TOO_LONG";
    case 417:
      return "EXPECTATION_FAILED";
    case 431:
      return "HEAD_TOO_LARGE";
    case 501:
      return "NOT_IMPLEMENTED";
    case 503:
      return "OVERLOADED";
    case 505:
      return "VERSION_NOT_SUPPORTED";
    default:
      return "BAD_REQUEST";
  }
}
