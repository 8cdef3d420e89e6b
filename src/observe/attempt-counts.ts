import type { AttemptRecord, Cause, Decision } from "../failover/attempt.ts";

/** `none`: it gave a usable answer. */
const CAUSES = {
  none: 0,
  refused: 1,
  timeout: 2,
  reset: 3,
  closed: 4,
  malformed: 5,
  truncated: 6,
  status: 7,
  identity: 8,
  aborted: 9,
  moved: 10,
  local: 11,
} as const satisfies Record<Cause | "none", number>;

const DECISIONS = {
  return: 0,
  next: 1,
  redial: 2,
  rescue: 3,
  hold: 4,
} as const satisfies Record<Decision, number>;

const DECISION_NAMES = Object.keys(DECISIONS);

/** What each number of attemptKind() stands for. */
export const ATTEMPT_KIND_NAMES = Object.keys(CAUSES).flatMap((cause) =>
  DECISION_NAMES.map((decision) => ({ cause, decision })),
);
export const ATTEMPT_KINDS = ATTEMPT_KIND_NAMES.length;

export function attemptKind({ cause, decision }: AttemptRecord): number {
  return CAUSES[cause ?? "none"] * DECISION_NAMES.length + DECISIONS[decision];
}
