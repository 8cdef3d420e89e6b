import {
  answer,
  BAD_HEADER,
  CLOSE,
  ECHO,
  HANG,
  HEADER_OF_20_KB,
  OK,
  RESET_REUSED,
  SHORT_BODY,
  STALLED_BODY,
} from "../support/server-script.ts";
import {
  after,
  B_DIRECTLY,
  backup,
  get,
  holding,
  leave,
  NEXT,
  NOBODY,
  pair,
  post,
  send,
  single,
  vector,
  websocket,
  type Player,
  type Vector,
} from "./vector.ts";

const UNAVAILABLE = answer(503);
/** A fails once more before it is out; B fails once and is. */
const OUTLIVES_B: readonly Player[] = [{ part: [CLOSE, HANG], maxFails: 2 }, backup([CLOSE])];
const BLUE_OF_TWO: readonly Player[] = [{ part: [UNAVAILABLE] }, { part: [CLOSE] }, backup([OK])];
export const INVALID_HEADERS = [
  ["a bad header line", BAD_HEADER],
  ["a header of 20 kB", HEADER_OF_20_KB],
] as const;
/** Resets the connection that it kept after its first answer, once. */
const FORGETS_ITS_CONNECTION = [OK, RESET_REUSED, OK];
const KEEPALIVE = { ...NEXT.listed, keepalive: true };

/**
 * nginx's rules of failover as measured on 1.31.5 and 1.22.1: a primary A and a backup B with
 * `max_fails=1 fail_timeout=3s`. The last steps are the "next GET", which shows what was counted.
 */
export const VECTORS: readonly Vector[] = [
  vector("V1 a GET that A refuses", pair("refused"), [
    get("200 B", "A, B", "502, 200"),
    B_DIRECTLY,
  ]),
  vector("V2 a POST that A refuses", pair("refused"), [
    post("200 B", "A, B", "502, 200"),
    B_DIRECTLY,
  ]),
  vector("V3 a POST while connecting to A takes too long", pair("silent"), [
    after(1, post("200 B", "A, B", "504, 200")),
    B_DIRECTLY,
  ]),
  vector("V4 a GET that A answers with 503", pair([UNAVAILABLE]), [
    get("200 B", "A, B", "503, 200"),
    B_DIRECTLY,
  ]),
  vector("V5 a POST that A answers with 503 is not counted", pair([UNAVAILABLE]), [
    post("503 A", "A", "503"),
    get("200 B", "A, B", "503, 200"),
  ]),
  vector(
    "V6 a POST that A answers with 503, where non_idempotent is listed",
    pair([UNAVAILABLE]),
    [post("200 B", "A, B", "503, 200"), B_DIRECTLY],
    NEXT.unsafe,
  ),
  ...[500, 403, 404, 429].map((status) =>
    vector(`V7 a GET that A answers with ${status}, which is not listed`, pair([answer(status)]), [
      get(`${status} A`, "A", `${status}`),
      get(`${status} A`, "A", `${status}`),
    ]),
  ),
  vector(
    "V8 a GET that A answers with 503, with the default next_upstream",
    pair([UNAVAILABLE]),
    [get("503 A", "A", "503"), get("503 A", "A", "503")],
    NEXT.default,
  ),
  vector("V9 a POST that A never answers", pair([HANG]), [
    after(1, post("504 gateway", "A", "504")),
    B_DIRECTLY,
  ]),
  vector("V10 a POST after which A closes", pair([CLOSE]), [
    post("502 gateway", "A", "502"),
    B_DIRECTLY,
  ]),
  vector("V11 a GET that neither answers", pair([HANG], [HANG]), [
    after(2, get("504 gateway", "A, B", "504, 504")),
    NOBODY,
  ]),
  vector("V12 A answers 503, B closes", pair([UNAVAILABLE], [CLOSE]), [
    get("502 gateway", "A, B", "503, 502"),
    NOBODY,
  ]),
  vector("V13 A hangs while B is out", OUTLIVES_B, [
    get("502 gateway", "A, B", "502, 502"),
    after(1, get("502 gateway", "A, backend", "504, 502")),
    NOBODY,
  ]),
  vector(
    "V14 A answers 503 while B is out",
    [{ part: [UNAVAILABLE], maxFails: 2 }, backup([CLOSE])],
    [get("502 gateway", "A, B", "503, 502"), get("502 gateway", "A, backend", "503, 502")],
  ),
  vector("V15 both answer 503", pair([UNAVAILABLE], [UNAVAILABLE]), [
    get("503 B", "A, B", "503, 503"),
    get("502 gateway", "B, backend", "503, 502"),
    NOBODY,
  ]),
  vector("V16 both refuse", pair("refused", "refused"), [
    get("502 gateway", "A, B", "502, 502"),
    NOBODY,
  ]),
  vector("V17 a single server that refuses is never taken out", single("refused"), [
    get("502 gateway", "A", "502"),
    get("502 gateway", "A", "502"),
  ]),
  vector("V18 a single server that is down", [{ part: [OK], down: true }], [NOBODY]),
  vector("V19 A is down", [{ part: [OK], down: true }, backup([OK])], [B_DIRECTLY, B_DIRECTLY]),
  vector(
    "V20 the only try meets a 503, which is not counted",
    pair([UNAVAILABLE]),
    [get("503 A", "A", "503"), get("503 A", "A", "503")],
    { ...NEXT.listed, tries: 1 },
  ),
  vector(
    "V21 the only try meets a close",
    pair([CLOSE]),
    [get("502 gateway", "A", "502"), B_DIRECTLY],
    { ...NEXT.listed, tries: 1 },
  ),
  vector(
    "V22 the time for tries ends while A hangs, which is not cut",
    pair([HANG]),
    [after(1, get("504 gateway", "A", "504")), B_DIRECTLY],
    { ...NEXT.listed, nextUpstreamTimeoutMs: 500 },
  ),
  vector(
    "V23 A closes and next_upstream is off",
    pair([CLOSE]),
    [get("502 gateway", "A", "502"), B_DIRECTLY],
    NEXT.off,
  ),
  vector("V24 two primaries fail before the backup", BLUE_OF_TWO, [
    get("200 C", "A, B, C", "503, 502, 200"),
    get("200 C", "C", "200"),
  ]),
  vector(
    "V25 two primaries fail and there are two tries",
    BLUE_OF_TWO,
    [get("502 gateway", "A, B", "503, 502"), get("200 C", "C", "200")],
    { ...NEXT.listed, tries: 2 },
  ),
  vector(
    "V26 three at a time where A takes one",
    [{ part: [{ does: "hold", status: 200 }], maxConns: 1 }, backup([OK])],
    [holding(get("200 A", "A", "200"), B_DIRECTLY, B_DIRECTLY)],
  ),
  ...INVALID_HEADERS.map(([what, behaviour]) =>
    vector(
      `V27 A sends ${what}, with the default next_upstream`,
      pair([behaviour]),
      [get("502 gateway", "A", "502"), B_DIRECTLY],
      NEXT.default,
    ),
  ),
  ...INVALID_HEADERS.map(([what, behaviour]) =>
    vector(
      `V28 A sends ${what}, where invalid_header is listed`,
      pair([behaviour]),
      [get("200 B", "A, B", "502, 200"), B_DIRECTLY],
      NEXT.invalidHeader,
    ),
  ),
  vector("V29 A ends its body too early, which is not counted", pair([SHORT_BODY, OK]), [
    get("200 cut", "A", "200"),
    get("200 A", "A", "200"),
  ]),
  vector("V30 A stops in its body, which is not counted", pair([STALLED_BODY, OK]), [
    after(1, get("200 cut", "A", "200")),
    get("200 A", "A", "200"),
  ]),
  vector("V31 the client leaves", pair([HANG, OK]), [leave("A", "-"), get("200 A", "A", "200")]),
  vector("V32 a WebSocket that A answers with 503", pair([UNAVAILABLE], [ECHO]), [
    websocket("101 B", "A, B", "503, 101"),
  ]),
  ...["PUT", "DELETE", "OPTIONS", "PROPFIND"].map((method) =>
    vector(`V33 ${method} that A answers with 503`, pair([UNAVAILABLE]), [
      send(method, "200 B", "A, B", "503, 200"),
      B_DIRECTLY,
    ]),
  ),
  ...["PATCH", "LOCK"].map((method) =>
    vector(`V34 ${method} that A answers with 503 is not counted`, pair([UNAVAILABLE]), [
      send(method, "503 A", "A", "503"),
      get("200 B", "A, B", "503, 200"),
    ]),
  ),
  vector(
    "V35 a GET whose kept connection A resets",
    pair(FORGETS_ITS_CONNECTION),
    [get("200 A", "A", "200"), get("200 B", "A, B", "502, 200"), B_DIRECTLY],
    KEEPALIVE,
  ),
  vector(
    "V35 a POST whose kept connection A resets",
    pair(FORGETS_ITS_CONNECTION),
    [get("200 A", "A", "200"), post("502 gateway", "A", "502"), B_DIRECTLY],
    KEEPALIVE,
  ),
  vector(
    "V36 a GET whose kept connection the single server resets",
    single(FORGETS_ITS_CONNECTION),
    [get("200 A", "A", "200"), get("200 A", "A, A", "502, 200"), get("200 A", "A", "200")],
    KEEPALIVE,
  ),
  vector(
    "V36 a POST whose kept connection the single server resets",
    single(FORGETS_ITS_CONNECTION),
    [get("200 A", "A", "200"), post("502 gateway", "A", "502"), get("200 A", "A", "200")],
    KEEPALIVE,
  ),
];
