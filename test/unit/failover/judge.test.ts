import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../src/failover/failure.ts";
import {
  exhaustedStatus,
  isListed,
  isRepeatable,
  judge,
  mayRescue,
  provesHealth,
  type RequestFacts,
} from "../../../src/failover/judge.ts";
import {
  type Condition,
  DEFAULT_POLICY,
  NGINX_POLICY,
  type Policy,
} from "../../../src/failover/policy.ts";
import { answered, CLOSED, REFUSED, SILENT } from "../../support/failover-groups.ts";

const GET: RequestFacts = {
  method: "GET",
  idempotencyKey: false,
  replayable: true,
  triesLeft: 1,
  elapsedMs: 0,
  answered: false,
  redialed: false,
};
const POST: RequestFacts = { ...GET, method: "POST" };
const KEYED: RequestFacts = { ...POST, idempotencyKey: true };

const MALFORMED: Failure = { ...SILENT, cause: "malformed", receivedBytes: 20 };
const STALE: Failure = { ...CLOSED, reused: true };
const STALE_UNSENT: Failure = { ...STALE, phase: "send", cause: "reset", sentBytes: 0 };
const BROKEN: Failure = { ...SILENT, phase: "body", cause: "truncated", receivedBytes: 500 };
const ABORTED: Failure = { ...SILENT, source: "client", cause: "aborted" };
const LOCAL: Failure = { ...REFUSED, source: "gateway", cause: "local" };
const MOVED: Failure = { ...SILENT, source: "gateway", cause: "moved" };
const BUSY = answered(503, { retryAfter: true });

const listing = (...conditions: readonly Condition[]): Policy => ({
  ...DEFAULT_POLICY,
  nextUpstream: new Set([...DEFAULT_POLICY.nextUpstream, ...conditions]),
});
const OFF: Policy = { ...DEFAULT_POLICY, nextUpstream: new Set() };
const TIMED: Policy = { ...DEFAULT_POLICY, nextUpstreamTimeoutMs: 500 };
const TRUSTING: Policy = { ...DEFAULT_POLICY, trustIdempotencyKey: true };
const PATIENT: Policy = { ...DEFAULT_POLICY, respectRetryAfter: true };
const NGINX_STATUS: Policy = {
  ...NGINX_POLICY,
  nextUpstream: new Set([
    "error",
    "timeout",
    "http_403",
    "http_404",
    "http_429",
    "http_500",
    "http_502",
    "http_503",
  ]),
};

type Row = readonly [string, Policy, RequestFacts, Failure, string, string];

const ROWS: readonly Row[] = [
  // Nothing was sent: any method.
  [
    "a refused GET",
    DEFAULT_POLICY,
    GET,
    REFUSED,
    "next counted",
    "refused the connection: on to the next server",
  ],
  [
    "a refused POST",
    DEFAULT_POLICY,
    POST,
    REFUSED,
    "next counted",
    "refused the connection: on to the next server",
  ],
  [
    "a POST whose connect timed out",
    DEFAULT_POLICY,
    POST,
    { ...REFUSED, cause: "timeout" },
    "next counted",
    "did not accept the connection in time: on to the next server",
  ],
  [
    "a POST that met a TLS error",
    DEFAULT_POLICY,
    POST,
    { ...REFUSED, phase: "tls", cause: "reset" },
    "next counted",
    "reset the connection within the TLS handshake: on to the next server",
  ],
  [
    "a POST whose server's name was not found",
    DEFAULT_POLICY,
    POST,
    { ...REFUSED, phase: "resolve" },
    "next counted",
    "has a name that was not found: on to the next server",
  ],
  [
    "a POST of which no byte was written",
    DEFAULT_POLICY,
    POST,
    { ...CLOSED, phase: "send", sentBytes: 0 },
    "next counted",
    "closed the connection while the request was sent: on to the next server",
  ],
  [
    "a refused POST whose body is lost",
    DEFAULT_POLICY,
    { ...POST, replayable: false },
    REFUSED,
    "return counted",
    "refused the connection: the request's body is no longer held",
  ],
  [
    "a refused GET without a server left",
    DEFAULT_POLICY,
    { ...GET, triesLeft: 0 },
    REFUSED,
    "return counted",
    "refused the connection: no server is left to try",
  ],
  [
    "a refused GET where `error` is not listed",
    OFF,
    GET,
    REFUSED,
    "return counted",
    "refused the connection: error is not in next_upstream",
  ],
  // Sent, no byte of an answer.
  [
    "a silent GET",
    DEFAULT_POLICY,
    GET,
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a silent DELETE",
    DEFAULT_POLICY,
    { ...GET, method: "DELETE" },
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a silent POST",
    DEFAULT_POLICY,
    POST,
    SILENT,
    "return counted",
    "did not answer in time: POST was sent and may not be repeated",
  ],
  [
    "a silent PROPFIND",
    DEFAULT_POLICY,
    { ...GET, method: "PROPFIND" },
    SILENT,
    "return counted",
    "did not answer in time: PROPFIND was sent and may not be repeated",
  ],
  [
    "a silent PROPFIND under nginx's rules",
    NGINX_POLICY,
    { ...GET, method: "PROPFIND" },
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a silent PATCH under nginx's rules",
    NGINX_POLICY,
    { ...GET, method: "PATCH" },
    SILENT,
    "return counted",
    "did not answer in time: PATCH was sent and may not be repeated",
  ],
  [
    "a silent POST with non_idempotent",
    listing("non_idempotent"),
    POST,
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a silent POST with a trusted key",
    TRUSTING,
    KEYED,
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a silent POST with a key not trusted",
    DEFAULT_POLICY,
    KEYED,
    SILENT,
    "return counted",
    "did not answer in time: POST was sent and may not be repeated",
  ],
  [
    "a silent POST without a key where keys are trusted",
    TRUSTING,
    POST,
    SILENT,
    "return counted",
    "did not answer in time: POST was sent and may not be repeated",
  ],
  [
    "a closed GET",
    DEFAULT_POLICY,
    GET,
    CLOSED,
    "next counted",
    "closed the connection before an answer: on to the next server",
  ],
  [
    "a GET that is out of time",
    TIMED,
    { ...GET, elapsedMs: 500 },
    SILENT,
    "return counted",
    "did not answer in time: next_upstream.timeout has passed",
  ],
  [
    "a GET that has time left",
    TIMED,
    { ...GET, elapsedMs: 499 },
    SILENT,
    "next counted",
    "did not answer in time: on to the next server",
  ],
  // An answer that cannot be used.
  [
    "a malformed head for a GET",
    DEFAULT_POLICY,
    GET,
    MALFORMED,
    "next counted",
    "sent a malformed answer: on to the next server",
  ],
  [
    "a malformed head for a POST",
    DEFAULT_POLICY,
    POST,
    MALFORMED,
    "return counted",
    "sent a malformed answer: POST was sent and may not be repeated",
  ],
  [
    "a malformed head under nginx's default",
    NGINX_POLICY,
    GET,
    MALFORMED,
    "return counted",
    "sent a malformed answer: invalid_header is not in next_upstream",
  ],
  [
    "an answer of another release",
    DEFAULT_POLICY,
    GET,
    { ...SILENT, cause: "identity" },
    "next counted",
    "answered as another pool or release than expected: on to the next server",
  ],
  // Listed statuses.
  [
    "a 503 for a GET",
    DEFAULT_POLICY,
    GET,
    answered(503),
    "next counted",
    "answered 503: on to the next server",
  ],
  [
    "a 503 for a POST",
    DEFAULT_POLICY,
    POST,
    answered(503),
    "return counted",
    "answered 503: POST was sent and may not be repeated",
  ],
  [
    "a last 503",
    DEFAULT_POLICY,
    { ...GET, triesLeft: 0 },
    answered(503),
    "return counted",
    "answered 503: no server is left to try",
  ],
  [
    "a 500, not listed",
    DEFAULT_POLICY,
    GET,
    answered(500),
    "return uncounted",
    "answered 500: http_500 is not in next_upstream",
  ],
  [
    "a 418, without a name",
    DEFAULT_POLICY,
    { ...GET, triesLeft: 0 },
    answered(418),
    "return uncounted",
    "answered 418: no server is left to try",
  ],
  [
    "a listed 403",
    listing("http_403"),
    GET,
    answered(403),
    "next uncounted",
    "answered 403: on to the next server",
  ],
  [
    "a listed 404",
    listing("http_404"),
    GET,
    answered(404),
    "next uncounted",
    "answered 404: on to the next server",
  ],
  [
    "a listed 429",
    listing("http_429"),
    GET,
    answered(429),
    "next uncounted",
    "answered 429: on to the next server",
  ],
  [
    "a listed 429 under nginx's rules",
    NGINX_STATUS,
    GET,
    answered(429),
    "next counted",
    "answered 429: on to the next server",
  ],
  [
    "a listed 403 under nginx's rules",
    NGINX_STATUS,
    GET,
    answered(403),
    "next uncounted",
    "answered 403: on to the next server",
  ],
  [
    "a 503 for a GET under nginx's rules",
    NGINX_STATUS,
    GET,
    answered(503),
    "next counted",
    "answered 503: on to the next server",
  ],
  [
    "a 503 for a POST under nginx's rules",
    NGINX_STATUS,
    POST,
    answered(503),
    "return uncounted",
    "answered 503: POST was sent and may not be repeated",
  ],
  [
    "a last 503 under nginx's rules",
    NGINX_STATUS,
    { ...GET, triesLeft: 0 },
    answered(503),
    "return uncounted",
    "answered 503: no server is left to try",
  ],
  [
    "a 503 with Retry-After, respected",
    PATIENT,
    GET,
    BUSY,
    "return uncounted",
    "answered 503: Retry-After is the server's own word",
  ],
  [
    "a 503 without Retry-After where it is respected",
    PATIENT,
    GET,
    answered(503),
    "next counted",
    "answered 503: on to the next server",
  ],
  [
    "a 503 with Retry-After, not respected",
    DEFAULT_POLICY,
    GET,
    BUSY,
    "next counted",
    "answered 503: on to the next server",
  ],
  // Kept-alive connections that had died.
  [
    "a stale GET",
    DEFAULT_POLICY,
    GET,
    STALE,
    "redial uncounted",
    "closed the connection before an answer: dialled anew",
  ],
  [
    "a stale GET where nothing is listed",
    OFF,
    { ...GET, triesLeft: 0 },
    STALE,
    "redial uncounted",
    "closed the connection before an answer: dialled anew",
  ],
  [
    "a stale POST that was sent",
    DEFAULT_POLICY,
    POST,
    STALE,
    "return uncounted",
    "closed the connection before an answer: POST was sent and may not be repeated",
  ],
  [
    "a stale POST that was not sent",
    DEFAULT_POLICY,
    POST,
    STALE_UNSENT,
    "redial uncounted",
    "reset the connection while the request was sent: dialled anew",
  ],
  [
    "a stale GET, dialled anew before",
    DEFAULT_POLICY,
    { ...GET, redialed: true },
    STALE,
    "next uncounted",
    "closed the connection before an answer: on to the next server",
  ],
  [
    "a stale GET, dialled anew before, the last",
    DEFAULT_POLICY,
    { ...GET, redialed: true, triesLeft: 0 },
    STALE,
    "return uncounted",
    "closed the connection before an answer: no server is left to try",
  ],
  [
    "a timeout on a reused connection",
    DEFAULT_POLICY,
    GET,
    { ...SILENT, reused: true },
    "next counted",
    "did not answer in time: on to the next server",
  ],
  [
    "a reused connection that dies within the head",
    DEFAULT_POLICY,
    GET,
    { ...STALE, receivedBytes: 9 },
    "next counted",
    "closed the connection before an answer: on to the next server",
  ],
  [
    "a stale GET under nginx's rules",
    NGINX_POLICY,
    GET,
    STALE,
    "next counted",
    "closed the connection before an answer: on to the next server",
  ],
  [
    "a stale GET of a single server under nginx's rules",
    NGINX_POLICY,
    { ...GET, triesLeft: 0 },
    STALE,
    "redial counted",
    "closed the connection before an answer: dialled anew",
  ],
  [
    "the same, dialled anew before",
    NGINX_POLICY,
    { ...GET, triesLeft: 0, redialed: true },
    STALE,
    "return counted",
    "closed the connection before an answer: no server is left to try",
  ],
  [
    "a stale POST under nginx's rules",
    NGINX_POLICY,
    POST,
    STALE,
    "return counted",
    "closed the connection before an answer: POST was sent and may not be repeated",
  ],
  // The head was passed on.
  [
    "a truncated body",
    DEFAULT_POLICY,
    { ...GET, answered: true },
    BROKEN,
    "return counted",
    "broke off its answer: the client has the answer's head",
  ],
  [
    "a stalled body",
    DEFAULT_POLICY,
    { ...GET, answered: true },
    { ...BROKEN, cause: "timeout" },
    "return counted",
    "stalled within its answer: the client has the answer's head",
  ],
  [
    "a truncated body under nginx's rules",
    NGINX_POLICY,
    { ...GET, answered: true },
    BROKEN,
    "return uncounted",
    "broke off its answer: the client has the answer's head",
  ],
  [
    "a tunnel that breaks",
    DEFAULT_POLICY,
    { ...GET, answered: true },
    { ...BROKEN, phase: "upgrade", cause: "reset" },
    "return uncounted",
    "reset the connection after the upgrade: the client has the answer's head",
  ],
  // Not the server's doing.
  [
    "a client that left",
    DEFAULT_POLICY,
    GET,
    ABORTED,
    "return uncounted",
    "was left by the client: nobody waits for an answer",
  ],
  [
    "no file descriptor",
    DEFAULT_POLICY,
    GET,
    LOCAL,
    "return uncounted",
    "was not reached for lack of the gateway's own means: another server would be reached no better",
  ],
  [
    "a rescue",
    DEFAULT_POLICY,
    GET,
    MOVED,
    "next uncounted",
    "went down while the request waited: on to the next server",
  ],
];

test.each(ROWS)("%s is judged by the policy", (_, policy, request, failure, verdict, why) => {
  const judged = judge(policy, request, failure);

  const counted = judged.counted ? "counted" : "uncounted";
  expect([`${judged.decision} ${counted}`, judged.why]).toEqual([verdict, why]);
});

test.each(["resolve", "connect", "tls"] as const)(
  "bytes written in the phase %s are no part of the request",
  (phase) => {
    const failure: Failure = { ...REFUSED, phase, sentBytes: 300 };

    expect(judge(DEFAULT_POLICY, POST, failure).decision).toBe("next");
  },
);

describe("whatever happens,", () => {
  const facts = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "LOCK", "DELETE", "PROPFIND"),
    idempotencyKey: fc.boolean(),
    replayable: fc.boolean(),
    triesLeft: fc.nat(2),
    elapsedMs: fc.nat(1000),
    answered: fc.boolean(),
    redialed: fc.boolean(),
  });
  const failures: fc.Arbitrary<Failure> = fc.record({
    source: fc.constantFrom("client", "server", "gateway"),
    phase: fc.constantFrom("resolve", "connect", "tls", "send", "head", "body", "upgrade"),
    cause: fc.constantFrom(
      "refused",
      "timeout",
      "reset",
      "closed",
      "malformed",
      "truncated",
      "status",
      "identity",
      "aborted",
      "moved",
      "local",
    ),
    status: fc.constantFrom(undefined, 403, 404, 429, 500, 502, 503, 504),
    retryAfter: fc.boolean(),
    reused: fc.boolean(),
    sentBytes: fc.nat(2),
    receivedBytes: fc.nat(2),
  });
  const policies = fc.constantFrom(
    DEFAULT_POLICY,
    NGINX_POLICY,
    NGINX_STATUS,
    OFF,
    TIMED,
    TRUSTING,
    PATIENT,
    listing("http_403", "http_404", "http_429", "http_500"),
  );
  const always = (holds: (p: Policy, r: RequestFacts, f: Failure) => boolean) =>
    fc.assert(fc.property(policies, facts, failures, holds));

  test("an exchange whose answer has begun never goes elsewhere", () => {
    always((policy, request, failure) => {
      return !request.answered || judge(policy, request, failure).decision === "return";
    });
  });

  test("a request that was sent goes on only where it may be repeated", () => {
    always((policy, request, failure) => {
      const unsent =
        failure.sentBytes === 0 || ["resolve", "connect", "tls"].includes(failure.phase);
      const goesOn = judge(policy, request, failure).decision !== "return";
      return !goesOn || unsent || isRepeatable(policy, request);
    });
  });

  test("no body that is gone is sent again", () => {
    always((policy, request, failure) => {
      return request.replayable || judge(policy, request, failure).decision === "return";
    });
  });

  test("only a server's own failure is a strike", () => {
    always((policy, request, failure) => {
      return failure.source === "server" || !judge(policy, request, failure).counted;
    });
  });

  test("a server is dialled anew once, and another is sought only where one is left", () => {
    always((policy, request, failure) => {
      const { decision } = judge(policy, request, failure);
      if (decision === "redial") return !request.redialed;
      return decision !== "next" || request.triesLeft > 0;
    });
  });
});

function listed(policy: Policy): readonly number[] {
  const statuses = [200, 302, 400, 403, 404, 429, 500, 501, 502, 503, 504];
  return statuses.filter((status) => isListed(policy, status));
}

test("a status is listed by its name in next_upstream", () => {
  const all = listing("http_403", "http_404", "http_429", "http_500");

  expect(listed(DEFAULT_POLICY)).toEqual([502, 503, 504]);
  expect(listed(all)).toEqual([403, 404, 429, 500, 502, 503, 504]);
  expect(listed(NGINX_POLICY)).toEqual([]);
});

test("only nginx takes an uncounted end of a trial for a success", () => {
  const uncounted = judge(NGINX_STATUS, POST, answered(503));
  const counted = judge(NGINX_STATUS, GET, answered(503));

  expect(provesHealth(NGINX_STATUS, uncounted)).toBe(true);
  expect(provesHealth(NGINX_STATUS, counted)).toBe(false);
  expect(provesHealth(DEFAULT_POLICY, uncounted)).toBe(false);
});

test.each<readonly [string, Policy, RequestFacts, number, boolean]>([
  ["a GET that was sent", DEFAULT_POLICY, GET, 100, true],
  ["a POST that was not sent", DEFAULT_POLICY, POST, 0, true],
  ["a POST that was sent", DEFAULT_POLICY, POST, 100, false],
  ["a POST with a trusted key", TRUSTING, KEYED, 100, true],
  ["a PUT whose body is lost", DEFAULT_POLICY, { ...GET, replayable: false }, 100, false],
  ["a GET whose answer has begun", DEFAULT_POLICY, { ...GET, answered: true }, 100, false],
  ["a GET without a server left", DEFAULT_POLICY, { ...GET, triesLeft: 0 }, 100, false],
  ["a GET out of time", TIMED, { ...GET, elapsedMs: 600 }, 100, false],
  ["a GET where failures stay where they are", OFF, GET, 100, false],
  [
    "a GET where timeouts alone move on",
    { ...OFF, nextUpstream: new Set(["timeout"]) },
    GET,
    100,
    true,
  ],
  ["a GET under nginx's rules", NGINX_POLICY, GET, 100, false],
])("%s is rescued as the policy says", (_, policy, request, sentBytes, rescued) => {
  expect(mayRescue(policy, request, sentBytes)).toBe(rescued);
});

test.each([
  ["nothing was tried", [], 502, 502],
  [
    "the last one was refused",
    [
      ["timeout", "next"],
      ["refused", "return"],
    ],
    502,
    502,
  ],
  [
    "the last one was silent",
    [
      ["refused", "next"],
      ["timeout", "return"],
    ],
    504,
    504,
  ],
  ["one was sought after a timeout in vain", [["timeout", "next"]], 504, 502],
] as const)("where %s, the client learns it by the status", (_, ends, ours, nginx) => {
  const attempts = ends.map(([cause, decision]) => ({ cause, decision }));

  expect(exhaustedStatus(DEFAULT_POLICY, attempts)).toBe(ours);
  expect(exhaustedStatus(NGINX_POLICY, attempts)).toBe(nginx);
});
