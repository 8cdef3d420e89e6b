import type { AttemptRecord } from "../failover/attempt.ts";

/** nginx's own entry in its lists of attempts for "no live upstreams": the group's name and 502. */
export function noLiveServer(group: string): AttemptRecord {
  return {
    n: 0,
    startedAt: 0,
    // Nobody was asked.
    spanId: undefined,
    pool: "",
    release: undefined,
    server: group,
    addr: group,
    reused: false,
    phase: "connect",
    cause: "refused",
    sentBytes: 0,
    receivedBytes: 0,
    connectMs: undefined,
    headMs: undefined,
    totalMs: 0,
    status: 502,
    counted: false,
    decision: "return",
    why: "no server is available",
  };
}
