import { expect, test } from "vitest";
import type { Cause, Phase } from "../../../src/failover/attempt.ts";
import { describeFailure } from "../../../src/failover/failure.ts";
import { answered, REFUSED } from "../../support/failover-groups.ts";

const WORDS: readonly (readonly [Phase, Cause, string])[] = [
  ["resolve", "refused", "has a name that was not found"],
  ["resolve", "timeout", "has a name that was not found in time"],
  ["connect", "refused", "refused the connection"],
  ["connect", "timeout", "did not accept the connection in time"],
  ["connect", "reset", "reset the connection before it stood"],
  ["tls", "malformed", "failed the TLS handshake"],
  ["tls", "timeout", "did not finish the TLS handshake in time"],
  ["tls", "closed", "closed the connection within the TLS handshake"],
  ["send", "timeout", "did not take in the request in time"],
  ["send", "reset", "reset the connection while the request was sent"],
  ["head", "timeout", "did not answer in time"],
  ["head", "closed", "closed the connection before an answer"],
  ["head", "malformed", "sent a malformed answer"],
  ["head", "identity", "answered as another pool or release than expected"],
  ["head", "aborted", "was left by the client"],
  ["head", "moved", "went down while the request waited"],
  ["connect", "local", "was not reached for lack of the gateway's own means"],
  ["body", "timeout", "stalled within its answer"],
  ["body", "truncated", "broke off its answer"],
  ["upgrade", "closed", "closed the connection after the upgrade"],
  ["upgrade", "timeout", "was silent for too long after the upgrade"],
];

test.each(WORDS)("a failure in %s by %s is told as: %s", (phase, cause, words) => {
  expect(describeFailure({ ...REFUSED, phase, cause })).toBe(words);
});

test("a listed status is told by its number", () => {
  expect(describeFailure(answered(503))).toBe("answered 503");
});
