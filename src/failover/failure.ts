import type { Cause, Phase } from "./attempt.ts";

/** Why one attempt gave no usable answer: all that the decisions need to know of it. */
export interface Failure {
  /** Whose doing it was; only a server's own failures are ever strikes. */
  readonly source: "client" | "server" | "gateway";
  readonly phase: Phase;
  readonly cause: Cause;
  /** The answer's status for cause `status`, else undefined. */
  readonly status: number | undefined;
  /** True where the answer carried `Retry-After`. */
  readonly retryAfter: boolean;
  /** True where the request went out on a kept-alive connection. */
  readonly reused: boolean;
  /** Bytes of the request written to the server in this attempt. */
  readonly sentBytes: number;
  /** Bytes of an answer read from the server in this attempt. */
  readonly receivedBytes: number;
}

/** The failure in words that follow a server's name: `refused the connection`, `answered 503`. */
export function describeFailure(failure: Failure): string {
  switch (failure.cause) {
    case "refused":
      return failure.phase === "resolve"
        ? "has a name that was not found"
        : "refused the connection";
    case "timeout":
      return TIMEOUTS[failure.phase];
    case "reset":
      return `reset the connection ${WHILE[failure.phase]}`;
    case "closed":
      return `closed the connection ${WHILE[failure.phase]}`;
    case "malformed":
      return failure.phase === "tls" ? "failed the TLS handshake" : "sent a malformed answer";
    case "truncated":
      return "broke off its answer";
    case "status":
      return `answered ${failure.status}`;
    case "identity":
      return "answered as another pool or release than expected";
    case "aborted":
      return "was left by the client";
    case "moved":
      return "went down while the request waited";
    case "local":
      return "was not reached for lack of the gateway's own means";
  }
}

const TIMEOUTS: Readonly<Record<Phase, string>> = {
  resolve: "has a name that was not found in time",
  connect: "did not accept the connection in time",
  tls: "did not finish the TLS handshake in time",
  send: "did not take in the request in time",
  head: "did not answer in time",
  body: "stalled within its answer",
  upgrade: "was silent for too long after the upgrade",
};

const WHILE: Readonly<Record<Phase, string>> = {
  resolve: "before it stood",
  connect: "before it stood",
  tls: "within the TLS handshake",
  send: "while the request was sent",
  head: "before an answer",
  body: "within its answer",
  upgrade: "after the upgrade",
};
