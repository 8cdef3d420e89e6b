import type { Cause, Decision } from "./attempt.ts";
import { describeFailure } from "./failure.ts";
import type { Failure } from "./failure.ts";
import type { Condition, Policy } from "./policy.ts";

/** What the rules of retry need to know of an exchange. */
export interface RequestFacts {
  readonly method: string;
  /** True where the request has an `Idempotency-Key`. */
  readonly idempotencyKey: boolean;
  /** True where there is no body, or all of it so far is still held. */
  readonly replayable: boolean;
  /** See `triesLeft`. */
  readonly triesLeft: number;
  /** Milliseconds since the exchange began its first attempt. */
  readonly elapsedMs: number;
  /** True once the head of an answer was passed on to the client. */
  readonly answered: boolean;
  /** True where this server was already dialled anew in this exchange. */
  readonly redialed: boolean;
}

export interface Verdict {
  /** `redial` = a new connection to the same server. */
  readonly decision: Exclude<Decision, "rescue" | "hold">;
  /** True where the attempt is a strike. */
  readonly counted: boolean;
  /** In words, for the log. */
  readonly why: string;
}

/** What becomes of an exchange after a failed attempt, and whether it is a strike. */
export function judge(policy: Policy, request: RequestFacts, failure: Failure): Verdict {
  const barrier = barrierOf(policy, request, failure);
  const decision = barrier === undefined ? placeOf(policy, request, failure) : "return";
  const counted = isCounted(policy, request, failure, decision);
  const outlook = barrier ?? (decision === "redial" ? "dialled anew" : "on to the next server");
  return { decision, counted, why: `${describeFailure(failure)}: ${outlook}` };
}

/** Whether an answer's status is a failure by policy. On the path of every answer. */
export function isListed({ nextUpstream }: Policy, status: number): boolean {
  if (status < 400) return false;
  const condition = STATUS_CONDITIONS.get(status);
  return condition !== undefined && nextUpstream.has(condition);
}

/** Whether an answer of this status can be a strike; a check fails on no other. */
export function mayStrike(policy: Policy, status: number): boolean {
  if (status === 403 || status === 404) return false;
  if (status === 429 && !policy.countTooManyRequests) return false;
  return isListed(policy, status);
}

/**
 * Whether a failed attempt that is no strike ends a trial as a success does. nginx knows nothing
 * between the two; by default an attempt that tells nothing of the server changes nothing.
 */
export function provesHealth(policy: Policy, verdict: Pick<Verdict, "counted">): boolean {
  return policy.strikes === "quiet_period" && !verdict.counted;
}

/** Whether a request that still waits for an answer may be moved away from a server that went down. */
export function mayRescue(policy: Policy, request: RequestFacts, sentBytes: number): boolean {
  const { nextUpstream } = policy;
  if (!policy.rescue || request.answered || request.triesLeft === 0) return false;
  if (!nextUpstream.has("error") && !nextUpstream.has("timeout")) return false;
  return whyNotRepeated(policy, request, sentBytes === 0) === undefined;
}

/** The client's status where no server is left and none gave an answer; attempts in their order. */
export function exhaustedStatus(
  policy: Policy,
  attempts: readonly { readonly cause: Cause | undefined; readonly decision: Decision }[],
): 502 | 504 {
  const last = attempts.at(-1);
  if (last?.cause !== "timeout") return 502;
  // nginx forgets the timeout once it has looked for another server in vain.
  return policy.lastAnswer === "nginx" && last.decision === "next" ? 502 : 504;
}

const STATUS_CONDITIONS: ReadonlyMap<number | undefined, Condition> = new Map([
  [403, "http_403"],
  [404, "http_404"],
  [429, "http_429"],
  [500, "http_500"],
  [502, "http_502"],
  [503, "http_503"],
  [504, "http_504"],
]);

/** Why the exchange may not go on to any server, or undefined where it may. */
function barrierOf(policy: Policy, request: RequestFacts, failure: Failure): string | undefined {
  if (failure.source === "client") return "nobody waits for an answer";
  if (failure.cause === "local") return "another server would be reached no better";
  if (request.answered) return "the client has the answer's head";
  if (isBackPressure(policy, failure)) return "Retry-After is the server's own word";
  const again = whyNotRepeated(policy, request, isUnsent(failure));
  if (again !== undefined || mayRedial(policy, request, failure)) return again;
  const condition = conditionOf(failure);
  if (condition !== undefined && !policy.nextUpstream.has(condition)) {
    return `${condition} is not in next_upstream`;
  }
  if (request.triesLeft > 0 || mayTrySame(policy, request, failure)) return undefined;
  return "no server is left to try";
}

function placeOf(policy: Policy, request: RequestFacts, failure: Failure): "next" | "redial" {
  if (mayRedial(policy, request, failure)) return "redial";
  return request.triesLeft > 0 ? "next" : "redial";
}

function isCounted(
  policy: Policy,
  request: RequestFacts,
  failure: Failure,
  decision: Verdict["decision"],
): boolean {
  if (failure.source !== "server") return false;
  // An upgraded connection may end at any time and by either side: that tells nothing.
  if (request.answered) return policy.countTruncated && failure.phase !== "upgrade";
  if (failure.cause === "status") return isCountedStatus(policy, failure, decision);
  return !(policy.stale === "redial" && isStale(failure));
}

function isCountedStatus(policy: Policy, failure: Failure, decision: Verdict["decision"]): boolean {
  if (failure.status === undefined || !mayStrike(policy, failure.status)) return false;
  if (isBackPressure(policy, failure)) return false;
  return policy.countEveryStatus || decision === "next";
}

/** Why a request may not be sent once more, wherever to, or undefined where it may. */
function whyNotRepeated(
  policy: Policy,
  request: RequestFacts,
  unsent: boolean,
): string | undefined {
  const { nextUpstreamTimeoutMs } = policy;
  if (nextUpstreamTimeoutMs > 0 && request.elapsedMs >= nextUpstreamTimeoutMs) {
    return "next_upstream.timeout has passed";
  }
  if (!request.replayable) return "the request's body is no longer held";
  if (unsent || isRepeatable(policy, request)) return undefined;
  return `${request.method} was sent and may not be repeated`;
}

/** Whether a request may be sent a second time although a server may have acted on the first. */
export function isRepeatable(
  policy: Policy,
  { method, idempotencyKey }: Pick<RequestFacts, "method" | "idempotencyKey">,
): boolean {
  if (policy.nextUpstream.has("non_idempotent")) return true;
  if (policy.trustIdempotencyKey && idempotencyKey) return true;
  return policy.repeatable === "nginx" ? !NGINX_ONCE.has(method) : IDEMPOTENT.has(method);
}

/** RFC 9110 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

const NGINX_ONCE: ReadonlySet<string> = new Set(["POST", "LOCK", "PATCH"]);

function isUnsent({ phase, sentBytes }: Failure): boolean {
  return phase === "resolve" || phase === "connect" || phase === "tls" || sentBytes === 0;
}

/** A kept-alive connection that the server had given up when the request came. */
function isStale({ reused, phase, cause, receivedBytes }: Failure): boolean {
  if (!reused || receivedBytes > 0) return false;
  return (phase === "send" || phase === "head") && (cause === "reset" || cause === "closed");
}

function mayRedial(policy: Policy, { redialed }: RequestFacts, failure: Failure): boolean {
  return policy.stale === "redial" && !redialed && isStale(failure);
}

/** nginx gives a failure on a kept-alive connection its try back; a server that is alone is dialled anew. */
function mayTrySame(policy: Policy, { redialed }: RequestFacts, failure: Failure): boolean {
  return policy.stale === "count" && !redialed && isStale(failure);
}

function isBackPressure(policy: Policy, failure: Failure): boolean {
  return policy.respectRetryAfter && failure.status === 503 && failure.retryAfter;
}

/** The name in `next_upstream` that a failure goes by; undefined for those that have none. */
function conditionOf({ cause, status }: Failure): Condition | undefined {
  switch (cause) {
    case "refused":
    case "reset":
    case "closed":
    case "truncated":
    case "identity":
      return "error";
    case "timeout":
      return "timeout";
    case "malformed":
      return "invalid_header";
    case "status":
      return STATUS_CONDITIONS.get(status);
    case "aborted":
    case "moved":
    case "local":
      return undefined;
  }
}
