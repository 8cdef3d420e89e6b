import type { ServerResponse } from "node:http";
import type { Outcome } from "./control.ts";

/** What a request to the admin API gets. */
export type AdminAnswer = WholeAnswer | { readonly stream: (response: ServerResponse) => void };

export interface WholeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Why there is no success: code -> HTTP status, and what every problem of that kind is. */
export const PROBLEMS = {
  BAD_REQUEST: { status: 400, title: "The request is not what this path takes" },
  UNAUTHORIZED: { status: 401, title: "A token is needed" },
  FORBIDDEN: { status: 403, title: "A page of another site may not do this" },
  NOT_FOUND: { status: 404, title: "There is no such thing" },
  METHOD_NOT_ALLOWED: { status: 405, title: "The path takes other methods" },
  REFUSED: { status: 409, title: "Not now, for a reason that you can change" },
  CHANGED: { status: 412, title: "It has changed since you looked" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  FAILED: { status: 422, title: "It was tried, and came to nothing" },
  ROLLED_BACK: { status: 422, title: "It was done, and undone again" },
  KEY_REUSED: { status: 422, title: "The key of another request" },
  INTERNAL: { status: 500, title: "A bug of the gateway" },
  OVERLOADED: { status: 503, title: "Too many ask for this" },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export function json(body: object, status = 200): WholeAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(body)}\n` };
}

export function plain(body: string, status = 200): WholeAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

/** A problem document (RFC 9457); `more` are members of its own, as `lines` where an order came to nothing. */
export function problem(code: ProblemCode, detail: string, more: object = {}): WholeAnswer {
  const { status, title } = PROBLEMS[code];
  const body = { ...more, type: problemType(code), title, status, detail, code };
  return { ...json(body, status), type: "application/problem+json" };
}

/** A name only: there is nothing to be fetched from it. */
export function problemType(code: ProblemCode): string {
  return `urn:understudy:problem:${code.toLowerCase().replaceAll("_", "-")}`;
}

const OUTCOME_CODES = {
  failed: "FAILED",
  refused: "REFUSED",
  unknown: "NOT_FOUND",
  rolled_back: "ROLLED_BACK",
} as const;

/** What an order came to: 200, 404 (unknown), 409 (refused) or 422 (failed, rolled back), with its facts. */
export function answerOutcome(outcome: Outcome): WholeAnswer {
  const { lines, facts } = outcome;
  if (outcome.ok) return json({ ...facts, lines });
  return problem(OUTCOME_CODES[outcome.kind], lines.join("\n"), { ...facts, lines });
}
