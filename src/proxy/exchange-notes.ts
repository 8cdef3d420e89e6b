import type { Clock } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import type { AffinityOutcome, ClosedBy, ExchangeRecord } from "../events.ts";
import type { AttemptRecord } from "../failover/attempt.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { newRequestId, requestIdOf } from "./request-id.ts";
import type { Trace } from "./trace-context.ts";

/** Where a request came from. */
export interface ClientFacts {
  /** `192.0.2.7`; `unix:` for a unix socket. */
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
  readonly scheme: "http" | "https";
  /** Its `X-Forwarded-*` fields are believed. */
  readonly trusted: boolean;
}

/** What an exchange writes down about itself as it goes; its log line is made of nothing else. */
export class ExchangeNotes implements ExchangeRecord {
  startedAt: number;
  readonly requestId: string;
  readonly #client: ClientFacts;
  readonly #head: RequestHead | undefined;
  readonly #startedMs: number;
  requestTimeMs = 0;
  requestBytes: number;
  status = 0;
  sentBytes = 0;
  sentBodyBytes = 0;
  group: string | undefined;
  pool: string | undefined;
  release: string | undefined;
  readonly attempts: AttemptRecord[] = [];
  heldMs = 0;
  affinity: AffinityOutcome | undefined;
  error: ErrorCode | undefined;
  why: string | undefined;
  shortage: string | undefined;
  closedBy: ClosedBy | undefined;
  answer: ResponseHead | undefined;
  trace: Trace | undefined;

  /** No head: what came was refused. */
  constructor(client: ClientFacts, head: RequestHead | undefined, clock: Clock) {
    this.#client = client;
    this.#head = head;
    this.startedAt = clock.wall();
    this.#startedMs = clock.now();
    this.requestBytes = head?.byteLength ?? 0;
    this.requestId = head === undefined ? newRequestId() : requestIdOf(head.field("x-request-id"));
  }

  /** The first byte of the head was here so many milliseconds ago. */
  beganBefore(ms: number): void {
    this.startedAt -= ms;
    this.requestTimeMs = ms;
  }

  /** Milliseconds since the head was here. */
  elapsedMs(now: number): number {
    return now - this.#startedMs;
  }

  get traceId(): string | undefined {
    return this.trace?.traceId ?? traceIdOf(this.#head?.field("traceparent"));
  }
  get clientAddress(): string {
    return this.#client.address;
  }
  get clientPort(): number {
    return this.#client.port;
  }
  get scheme(): string {
    return this.#client.scheme;
  }
  get localPort(): number {
    return this.#client.localPort;
  }
  get method(): string {
    return this.#head?.method ?? "";
  }
  get target(): string {
    return this.#head?.rawTarget ?? "";
  }
  get protocol(): string {
    return this.#head === undefined ? "" : PROTOCOLS[this.#head.minor];
  }
  get host(): string {
    return this.#head?.host ?? "";
  }

  requestField(name: string): string | undefined {
    return this.#head?.field(name);
  }

  answerField(name: string): string | undefined {
    return this.answer?.field(name);
  }
}

const PROTOCOLS = ["HTTP/1.0", "HTTP/1.1"] as const;

/** The trace id of a W3C `traceparent` (version 00 layout). */
function traceIdOf(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined) return undefined;
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(traceparent)?.[1];
}
