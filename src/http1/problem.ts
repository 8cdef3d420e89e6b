/** Why a message is refused. */
export interface HeadProblem {
  /** Tells a problem from a head: a head has a kind. */
  readonly kind?: undefined;
  /** What a client is answered: 400, 405, 414, 417, 431, 501 or 505. For an answer of a server: 502. */
  readonly status: number;
  /** Lower case, in words. */
  readonly reason: string;
}

export function problem(status: number, reason: string): HeadProblem {
  return { status, reason };
}

export function badRequest(reason: string): HeadProblem {
  return problem(400, reason);
}

export function badAnswer(reason: string): HeadProblem {
  return problem(502, reason);
}
