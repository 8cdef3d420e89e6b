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

/** Why there is no success: code -> HTTP status. */
const ERRORS = {
  BAD_REQUEST: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REFUSED: 409,
  BODY_TOO_LARGE: 413,
  /** The order was tried and what it is about (a configuration, a new worker) did not do. */
  FAILED: 422,
  INTERNAL: 500,
  OVERLOADED: 503,
} as const satisfies Record<string, number>;

type AdminError = keyof typeof ERRORS;

export function json(body: object, status = 200): WholeAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(body)}\n` };
}

export function plain(body: string, status = 200): WholeAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

/** `lines` where an order came to nothing. */
export function problem(
  error: AdminError,
  message: string,
  lines?: readonly string[],
): WholeAnswer {
  const status = ERRORS[error];
  return json({ error, status, message, ...(lines && { lines }) }, status);
}

const OUTCOME_ERRORS = {
  failed: "FAILED",
  refused: "REFUSED",
  unknown: "NOT_FOUND",
} as const;

/** What an order came to: 200, 404 (unknown), 409 (refused) or 422 (failed). */
export function answerOutcome(outcome: Outcome): WholeAnswer {
  const { lines } = outcome;
  if (outcome.ok) return json({ lines });
  return problem(OUTCOME_ERRORS[outcome.kind], lines.join("\n"), lines);
}
