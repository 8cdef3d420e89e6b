import type { ExchangeRecord } from "../../src/events.ts";
import type { AttemptRecord } from "../../src/failover/attempt.ts";

type Fields = Readonly<Record<string, string>>;

/** An exchange that went well at once; `request` and `answer` are its header fields. */
export function exchangeRecord(
  changes: Partial<ExchangeRecord> = {},
  { request = {}, answer = {} }: { request?: Fields; answer?: Fields } = {},
): ExchangeRecord {
  return {
    startedAt: Date.UTC(2026, 10, 21, 3, 10, 8, 78),
    requestTimeMs: 45,
    requestId: "b7f1",
    traceId: undefined,
    trace: undefined,
    clientAddress: "192.0.2.7",
    clientPort: 40_001,
    scheme: "http",
    localPort: 8080,
    method: "GET",
    target: "/version?full=1",
    protocol: "HTTP/1.1",
    host: "shop.example",
    requestBytes: 120,
    status: 200,
    sentBytes: 300,
    sentBodyBytes: 136,
    group: "app",
    pool: "blue",
    release: "v1",
    attempts: [attemptRecord()],
    heldMs: 0,
    affinity: undefined,
    error: undefined,
    why: undefined,
    shortage: undefined,
    closedBy: undefined,
    ...changes,
    requestField: (name) => request[name],
    answerField: (name) => answer[name],
  };
}

/** An attempt that got a usable answer from blue. */
export function attemptRecord(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    n: 1,
    startedAt: 0,
    spanId: undefined,
    pool: "blue",
    release: "v1",
    server: "app_blue:3000",
    addr: "172.18.0.3:3000",
    reused: false,
    phase: "body",
    cause: undefined,
    sentBytes: 100,
    receivedBytes: 280,
    connectMs: 0.6,
    headMs: 40.2,
    totalMs: 44.4,
    status: 200,
    counted: false,
    decision: "return",
    why: "a usable answer",
    ...changes,
  };
}

/** Blue refused the connection, green answered. */
export const REFUSED_THEN_ANSWERED: readonly AttemptRecord[] = [
  attemptRecord({
    phase: "connect",
    cause: "refused",
    sentBytes: 0,
    receivedBytes: 0,
    connectMs: undefined,
    headMs: undefined,
    totalMs: 0.3,
    status: 502,
    counted: true,
    decision: "next",
    why: "nothing was sent",
  }),
  attemptRecord({ n: 2, pool: "green", server: "app_green:3000", addr: "172.18.0.4:3000" }),
];
