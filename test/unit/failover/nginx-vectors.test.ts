import { expect, test } from "vitest";
import type { Cause, Decision } from "../../../src/failover/attempt.ts";
import { chooseServer, triesLeft } from "../../../src/failover/choose.ts";
import type { Failure } from "../../../src/failover/failure.ts";
import { wantsSuccess } from "../../../src/failover/group.ts";
import type { PoolSpec } from "../../../src/failover/spec.ts";
import { exhaustedStatus, isListed, judge, provesHealth } from "../../../src/failover/judge.ts";
import { type Condition, NGINX_POLICY, type Policy } from "../../../src/failover/policy.ts";
import type { ServerState } from "../../../src/failover/server.ts";
import {
  answered,
  aPool,
  aGroup,
  CLOSED,
  GroupStory,
  REFUSED,
  seatsOf,
  SILENT,
} from "../../support/failover-groups.ts";

/** What a server does with a request; a number is the status that it answers. */
type Act = number | keyof typeof FAILURES;

const FAILURES = {
  refuses: REFUSED,
  "connect timeout": { ...REFUSED, cause: "timeout" },
  hangs: SILENT,
  closes: CLOSED,
  "bad head": { ...SILENT, cause: "malformed", receivedBytes: 30 },
  truncates: { ...SILENT, phase: "body", cause: "truncated", receivedBytes: 107 },
  stalls: { ...SILENT, phase: "body", cause: "timeout", receivedBytes: 107 },
  "client leaves": { ...SILENT, source: "client", cause: "aborted" },
  "is stale": { ...CLOSED, cause: "reset", reused: true },
} as const satisfies Record<string, Failure>;

/** What a client and the access log see of one exchange. */
interface Seen {
  client: string;
  addr: string;
  status: string;
}

/** nginx's servers A, B, C by index; a redial finds a fresh connection, and so a 200. */
const NAMES = ["A", "B", "C"];

/** One exchange as the data path does it, with the servers' doings given instead of sockets. */
function exchange(
  story: GroupStory,
  method: string,
  acts: readonly Act[],
  elapsedMs: number,
): Seen {
  const { policy } = story.state.spec;
  const seats = seatsOf(story.state);
  const tried: number[] = [];
  const attempts: { addr: string; status: string; cause: Cause | undefined; decision: Decision }[] =
    [];
  const seen = (client: string): Seen => ({
    client,
    addr: attempts.map(({ addr }) => addr).join(", "),
    status: attempts.map(({ status }) => status).join(", "),
  });

  let server: ServerState | undefined;
  for (let redialed = false; ;) {
    const pick = redialed ? undefined : chooseServer(story.state, seats, tried, "", story.now);
    if (pick !== undefined) {
      server = pick.server;
      tried.push(server.index);
      if (pick.trial) story.apply({ type: "trial-started", server: server.index });
    } else if (!redialed || server === undefined) {
      const client = exhaustedStatus(policy, attempts);
      attempts.push({ addr: "backend", status: "502", cause: undefined, decision: "return" });
      return seen(`${client}`);
    }

    const { index, generation } = server;
    const addr = NAMES[index]!;
    const act = redialed ? 200 : (acts[index] ?? 200);
    const failure = failureOf(act, policy);
    if (failure === undefined) {
      attempts.push({ addr, status: `${act}`, cause: undefined, decision: "return" });
      if (wantsSuccess(story.server(index), policy)) {
        story.apply({ type: "attempt-succeeded", server: index, generation });
      }
      return seen(`${act} ${addr}`);
    }

    const isAnswered = failure.phase === "body";
    const verdict = judge(
      policy,
      {
        method,
        idempotencyKey: false,
        replayable: true,
        triesLeft: triesLeft(story.state, tried),
        elapsedMs,
        answered: isAnswered,
        redialed,
      },
      failure,
    );
    if (verdict.counted)
      story.apply({ type: "attempt-failed", server: index, generation, failure });
    else if (provesHealth(policy, verdict) && wantsSuccess(story.server(index), policy)) {
      story.apply({ type: "attempt-succeeded", server: index, generation });
    }
    const status = statusOf(failure);
    attempts.push({ addr, status, cause: failure.cause, decision: verdict.decision });
    redialed = verdict.decision === "redial";
    if (verdict.decision !== "return") continue;
    if (isAnswered) return seen("200 truncated");
    if (failure.cause === "aborted") return seen("499");
    return seen(
      failure.cause === "status" ? `${status} ${addr}` : `${exhaustedStatus(policy, attempts)}`,
    );
  }
}

function failureOf(act: Act, policy: Policy): Failure | undefined {
  if (typeof act !== "number") return FAILURES[act];
  return isListed(policy, act) ? answered(act) : undefined;
}

function statusOf({ phase, cause, status }: Failure): string {
  if (cause === "aborted") return "-";
  if (phase === "body") return "200";
  if (cause === "status") return `${status}`;
  return cause === "timeout" ? "504" : "502";
}

const NX: readonly Condition[] = ["error", "timeout", "http_502", "http_503", "http_504"];
const DEFAULT: readonly Condition[] = ["error", "timeout"];

interface Vector {
  readonly method?: string;
  readonly on?: readonly Condition[];
  readonly policy?: Partial<Policy>;
  readonly pools?: readonly PoolSpec[];
  readonly acts: readonly Act[];
  readonly elapsedMs?: number;
  /** Servers that are disabled when the request comes. */
  readonly disabled?: readonly number[];
  /** `client | $upstream_addr | $upstream_status` of the request and of a GET after it. */
  readonly seen: string;
  readonly next?: string;
}

const QUICK = { maxFails: 1, failTimeoutMs: 3000 };
const PATIENT = { maxFails: 2, failTimeoutMs: 3000 };
const PAIR = [aPool("blue", QUICK), aPool("green", QUICK)];
const TWO_FAILS = [aPool("blue", PATIENT), aPool("green", QUICK)];
const SINGLE = [aPool("blue", QUICK)];
const TRIO = [aPool("blue", QUICK, QUICK), aPool("green", QUICK)];
const B_DIRECT = "200 B | B | 200";

const VECTORS: Readonly<Record<string, Vector>> = {
  V1: { acts: ["refuses"], seen: "200 B | A, B | 502, 200", next: B_DIRECT },
  V2: { method: "POST", acts: ["refuses"], seen: "200 B | A, B | 502, 200", next: B_DIRECT },
  V3: {
    method: "POST",
    acts: ["connect timeout"],
    seen: "200 B | A, B | 504, 200",
    next: B_DIRECT,
  },
  V4: { acts: [503], seen: "200 B | A, B | 503, 200", next: B_DIRECT },
  V5: { method: "POST", acts: [503], seen: "503 A | A | 503", next: "200 B | A, B | 503, 200" },
  V6: {
    method: "POST",
    on: [...NX, "non_idempotent"],
    acts: [503],
    seen: "200 B | A, B | 503, 200",
    next: B_DIRECT,
  },
  "V7 500": { acts: [500], seen: "500 A | A | 500", next: "500 A | A | 500" },
  "V7 404": { acts: [404], seen: "404 A | A | 404", next: "404 A | A | 404" },
  V8: { on: DEFAULT, acts: [503], seen: "503 A | A | 503", next: "503 A | A | 503" },
  V9: { method: "POST", acts: ["hangs"], seen: "504 | A | 504", next: B_DIRECT },
  V10: { method: "POST", acts: ["closes"], seen: "502 | A | 502", next: B_DIRECT },
  V11: { acts: ["hangs", "hangs"], seen: "504 | A, B | 504, 504", next: "502 | backend | 502" },
  V12: { acts: [503, "closes"], seen: "502 | A, B | 503, 502", next: "502 | backend | 502" },
  V13: {
    pools: TWO_FAILS,
    disabled: [1],
    acts: ["hangs"],
    seen: "502 | A, backend | 504, 502",
    next: "502 | A, backend | 504, 502",
  },
  V14: { pools: TWO_FAILS, disabled: [1], acts: [503], seen: "502 | A, backend | 503, 502" },
  V15: { acts: [503, 503], seen: "503 B | A, B | 503, 503", next: "502 | B, backend | 503, 502" },
  V16: { acts: ["refuses", "refuses"], seen: "502 | A, B | 502, 502", next: "502 | backend | 502" },
  V17: { pools: SINGLE, acts: ["refuses"], seen: "502 | A | 502", next: "502 | A | 502" },
  V18: { pools: [aPool("blue", { ...QUICK, down: true })], acts: [], seen: "502 | backend | 502" },
  V19: {
    pools: [aPool("blue", { ...QUICK, down: true }), aPool("green", QUICK)],
    acts: [],
    seen: B_DIRECT,
    next: B_DIRECT,
  },
  V20: { policy: { tries: 1 }, acts: [503], seen: "503 A | A | 503", next: "503 A | A | 503" },
  V21: { policy: { tries: 1 }, acts: ["closes"], seen: "502 | A | 502", next: B_DIRECT },
  V22: {
    policy: { nextUpstreamTimeoutMs: 500 },
    elapsedMs: 1000,
    acts: ["hangs"],
    seen: "504 | A | 504",
    next: B_DIRECT,
  },
  V23: { on: [], acts: ["closes"], seen: "502 | A | 502", next: B_DIRECT },
  V24: {
    pools: TRIO,
    acts: [503, "closes"],
    seen: "200 C | A, B, C | 503, 502, 200",
    next: "200 C | C | 200",
  },
  V25: {
    pools: TRIO,
    policy: { tries: 2 },
    acts: [503, "closes"],
    seen: "502 | A, B | 503, 502",
    next: "200 C | C | 200",
  },
  V27: { on: DEFAULT, acts: ["bad head"], seen: "502 | A | 502", next: B_DIRECT },
  V28: {
    on: [...DEFAULT, "invalid_header"],
    acts: ["bad head"],
    seen: "200 B | A, B | 502, 200",
    next: B_DIRECT,
  },
  V29: { acts: ["truncates"], seen: "200 truncated | A | 200", next: "200 truncated | A | 200" },
  V30: { acts: ["stalls"], seen: "200 truncated | A | 200", next: "200 truncated | A | 200" },
  V31: { acts: ["client leaves"], seen: "499 | A | -", next: "499 | A | -" },
  V32: { acts: [503, 101], seen: "101 B | A, B | 503, 101" },
  "V33 PUT": { method: "PUT", acts: [503], seen: "200 B | A, B | 503, 200", next: B_DIRECT },
  "V33 DELETE": { method: "DELETE", acts: [503], seen: "200 B | A, B | 503, 200", next: B_DIRECT },
  "V33 OPTIONS": {
    method: "OPTIONS",
    acts: [503],
    seen: "200 B | A, B | 503, 200",
    next: B_DIRECT,
  },
  "V33 PROPFIND": {
    method: "PROPFIND",
    acts: [503],
    seen: "200 B | A, B | 503, 200",
    next: B_DIRECT,
  },
  "V34 PATCH": {
    method: "PATCH",
    acts: [503],
    seen: "503 A | A | 503",
    next: "200 B | A, B | 503, 200",
  },
  "V34 LOCK": {
    method: "LOCK",
    acts: [503],
    seen: "503 A | A | 503",
    next: "200 B | A, B | 503, 200",
  },
  "V35 GET": { acts: ["is stale"], seen: "200 B | A, B | 502, 200", next: B_DIRECT },
  "V35 POST": { method: "POST", acts: ["is stale"], seen: "502 | A | 502", next: B_DIRECT },
  "V36 GET": {
    pools: SINGLE,
    acts: ["is stale"],
    seen: "200 A | A, A | 502, 200",
    next: "200 A | A, A | 502, 200",
  },
  "V36 POST": {
    method: "POST",
    pools: SINGLE,
    acts: ["is stale"],
    seen: "502 | A | 502",
    next: "200 A | A, A | 502, 200",
  },
};

function told({ client, addr, status }: Seen): string {
  return `${client} | ${addr} | ${status}`;
}

test.each(Object.entries(VECTORS))("%s ends as in nginx", (_, vector) => {
  const { method = "GET", on = NX, pools = PAIR, acts, elapsedMs = 0, disabled = [] } = vector;
  const policy = { ...NGINX_POLICY, nextUpstream: new Set(on), ...vector.policy };
  const story = new GroupStory(aGroup(pools, policy));
  for (const index of disabled) story.strike(index);

  const first = told(exchange(story, method, acts, elapsedMs));
  const next =
    vector.next === undefined ? undefined : told(exchange(story, "GET", acts, elapsedMs));

  expect([first, next]).toEqual([vector.seen, vector.next]);
});

test("V15: the third request finds nobody", () => {
  const policy = { ...NGINX_POLICY, nextUpstream: new Set(NX) };
  const story = new GroupStory(aGroup(PAIR, policy));

  const seen = [1, 2, 3].map(() => exchange(story, "GET", [503, 503], 0));

  expect(seen).toEqual([
    { client: "503 B", addr: "A, B", status: "503, 503" },
    { client: "502", addr: "B, backend", status: "503, 502" },
    { client: "502", addr: "backend", status: "502" },
  ]);
});

test("V26: of three at a time the first alone is on a server that takes one", () => {
  const story = new GroupStory(
    aGroup([aPool("blue", { ...QUICK, maxConns: 1 }), aPool("green", QUICK)], NGINX_POLICY),
  );
  const seats = seatsOf(story.state);
  const picked = [1, 2, 3].map(() => {
    const index = chooseServer(story.state, seats, [], "", 0)!.server.index;
    seats[index]!.inFlight++;
    return NAMES[index];
  });

  expect(picked).toEqual(["A", "B", "B"]);
});

test("a POST that meets a 503 as a trial brings the server back, as nginx has it", () => {
  const story = new GroupStory(aGroup(PAIR, { ...NGINX_POLICY, nextUpstream: new Set(NX) }));
  exchange(story, "GET", [503], 0);

  story.at(3001);
  const trial = exchange(story, "POST", [503], 0);

  expect(trial).toEqual({ client: "503 A", addr: "A", status: "503" });
  expect(story.status(0)).toBe("up");
});
