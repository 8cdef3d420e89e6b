import {
  answer,
  CLOSE,
  HANG,
  OK,
  RESET_REUSED,
  SHORT_BODY,
  STALLED_BODY,
} from "../support/server-script.ts";
import type { GroupRules } from "./gateway.ts";
import {
  after,
  B_DIRECTLY,
  backup,
  get,
  holding,
  later,
  NEXT,
  NOBODY,
  pair,
  post,
  send,
  type Player,
  type Step,
} from "./vector.ts";
import { INVALID_HEADERS } from "./vectors.ts";

/** A case in which Understudy's own rules do something else than nginx's. */
export interface Difference {
  /** What Understudy does. */
  readonly title: string;
  readonly players: readonly Player[];
  readonly rules: GroupRules;
  /** The same requests and what comes of them with each. */
  readonly nginx: readonly Step[];
  readonly own: readonly Step[];
}

const UNAVAILABLE = answer(503);
const KEEPALIVE = { ...NEXT.listed, keepalive: true };
const FORGETS_ITS_CONNECTION = [OK, RESET_REUSED, OK];
const A_THEN_B = get("200 B", "A, B", "503, 200");

export const DIFFERENCES: readonly Difference[] = [
  ...["POST", "PATCH", "LOCK"].map((method) =>
    difference(`${method} that gets 503 is counted, so the next GET goes to B (V5, V34)`, {
      players: pair([UNAVAILABLE]),
      nginx: [send(method, "503 A", "A", "503"), A_THEN_B],
      own: [send(method, "503 A", "A", "503"), B_DIRECTLY],
    }),
  ),
  difference("a 503 on the only try is counted (V20)", {
    players: pair([UNAVAILABLE]),
    rules: { ...NEXT.listed, tries: 1 },
    nginx: [get("503 A", "A", "503"), get("503 A", "A", "503")],
    own: [get("503 A", "A", "503"), B_DIRECTLY],
  }),
  difference("a 503 is retried by default (V8)", {
    players: pair([UNAVAILABLE]),
    rules: NEXT.default,
    nginx: [get("503 A", "A", "503")],
    own: [A_THEN_B, B_DIRECTLY],
  }),
  ...INVALID_HEADERS.map(([what, behaviour]) =>
    difference(`${what} is retried by default (V27)`, {
      players: pair([behaviour]),
      rules: NEXT.default,
      nginx: [get("502 gateway", "A", "502"), B_DIRECTLY],
      own: [get("200 B", "A, B", "502, 200"), B_DIRECTLY],
    }),
  ),
  difference("a PROPFIND that was sent is not repeated, but counted (V33)", {
    players: pair([UNAVAILABLE]),
    nginx: [send("PROPFIND", "200 B", "A, B", "503, 200"), B_DIRECTLY],
    own: [send("PROPFIND", "503 A", "A", "503"), B_DIRECTLY],
  }),
  difference("with no server left the client gets the last real answer (V12)", {
    players: pair([UNAVAILABLE], [CLOSE]),
    nginx: [get("502 gateway", "A, B", "503, 502")],
    own: [get("503 A", "A, B", "503, 502")],
  }),
  difference("with no try left the client gets the last real answer (V25)", {
    players: [{ part: [UNAVAILABLE] }, { part: [CLOSE] }, backup([OK])],
    rules: { ...NEXT.listed, tries: 2 },
    nginx: [get("502 gateway", "A, B", "503, 502"), get("200 C", "C", "200")],
    own: [get("503 A", "A, B", "503, 502"), get("200 C", "C", "200")],
  }),
  difference("a timeout stays a 504 when no other server is left (V13)", {
    players: [{ part: [CLOSE, HANG], maxFails: 2 }, backup([CLOSE])],
    nginx: [
      get("502 gateway", "A, B", "502, 502"),
      after(1, get("502 gateway", "A, backend", "504, 502")),
    ],
    own: [get("502 gateway", "A, B", "502, 502"), after(1, get("504 gateway", "A", "504"))],
  }),
  difference("a server's own 503 is passed on when no other is left (V14)", {
    players: [{ part: [UNAVAILABLE], maxFails: 2 }, backup([CLOSE])],
    nginx: [get("502 gateway", "A, B", "503, 502"), get("502 gateway", "A, backend", "503, 502")],
    own: [get("503 A", "A, B", "503, 502"), get("503 A", "A", "503")],
  }),
  difference("the last server that stands goes on giving its own 503 (V15)", {
    players: [
      { part: [UNAVAILABLE], check: OK },
      { part: [UNAVAILABLE], check: OK, backup: true },
    ],
    nginx: [get("503 B", "A, B", "503, 503"), get("502 gateway", "B, backend", "503, 502"), NOBODY],
    own: [get("503 B", "A, B", "503, 503"), get("503 B", "B", "503"), get("503 B", "B", "503")],
  }),
  difference("the log has no attempt where none was made (V18)", {
    players: [{ part: [OK], down: true }],
    nginx: [NOBODY],
    own: [get("502 gateway", "-", "-")],
  }),
  difference("the time for tries also cuts a try that runs (V22)", {
    players: pair([HANG]),
    rules: { ...NEXT.listed, nextUpstreamTimeoutMs: 500 },
    nginx: [after(1, get("504 gateway", "A", "504")), B_DIRECTLY],
    own: [get("504 gateway", "A", "504"), B_DIRECTLY],
  }),
  difference("a body that ends too early is counted (V29)", {
    players: pair([SHORT_BODY, OK]),
    nginx: [get("200 cut", "A", "200"), get("200 A", "A", "200")],
    own: [get("200 cut", "A", "200"), B_DIRECTLY],
  }),
  difference("a body that stalls is counted (V30)", {
    players: pair([STALLED_BODY, OK]),
    nginx: [after(1, get("200 cut", "A", "200")), get("200 A", "A", "200")],
    own: [after(1, get("200 cut", "A", "200")), B_DIRECTLY],
  }),
  difference("a GET on a stale connection dials the same server anew, uncounted (V35)", {
    players: pair(FORGETS_ITS_CONNECTION),
    rules: KEEPALIVE,
    nginx: [get("200 A", "A", "200"), get("200 B", "A, B", "502, 200"), B_DIRECTLY],
    own: [get("200 A", "A", "200"), get("200 A", "A, A", "502, 200"), get("200 A", "A", "200")],
  }),
  difference("a POST that was sent on a stale connection fails, uncounted (V35)", {
    players: pair(FORGETS_ITS_CONNECTION),
    rules: KEEPALIVE,
    nginx: [get("200 A", "A", "200"), post("502 gateway", "A", "502"), B_DIRECTLY],
    own: [get("200 A", "A", "200"), post("502 gateway", "A", "502"), get("200 A", "A", "200")],
  }),
  difference("a GET that waits on a server that goes down is moved at once", {
    players: pair([HANG, CLOSE]),
    nginx: [
      holding(
        after(1, get("200 B", "A, B", "504, 200")),
        post("502 gateway", "A", "502"),
        B_DIRECTLY,
      ),
    ],
    own: [holding(get("200 B", "A, B", "-, 200"), post("502 gateway", "A", "502"), B_DIRECTLY)],
  }),
  difference("a strike is forgotten once it is older than fail_timeout", {
    players: [{ part: [UNAVAILABLE], maxFails: 2, failTimeout: "1s" }, backup([OK])],
    nginx: [A_THEN_B, later(1.2, A_THEN_B), B_DIRECTLY],
    own: [A_THEN_B, later(1.2, A_THEN_B), A_THEN_B],
  }),
];

function difference(
  title: string,
  { rules = NEXT.listed, ...facts }: Omit<Difference, "title" | "rules"> & { rules?: GroupRules },
): Difference {
  return { title, rules, ...facts };
}
