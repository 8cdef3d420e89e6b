import { randomBytes } from "node:crypto";
import type { Answer } from "./answer-reader.ts";
import { StrictConnection } from "./strict-connection.ts";
import type { Failure, Job } from "./strict-connection.ts";
import { Tally } from "./tally.ts";
import type { Result, Summary } from "./tally.ts";

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** Must echo `X-Echo-Id` in its answers, and for POST the body. Default `/echo`. */
  readonly path?: string;
  /** The most requests under way at a time. Default 16. */
  readonly connections?: number;
  /**
   * Requests become due at this fixed rate, whatever the server does, and latency is measured from
   * then (open loop). Without it each connection sends its next request after an answer.
   */
  readonly ratePerSecond?: number;
  /** Share of POSTs, 0..1. Default 0. */
  readonly postRatio?: number;
  /** Bytes of a POST's body. Default 200. */
  readonly bodyBytes?: number;
  /** More fields for every request. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The body that the answer to a GET must have. Default: it is not looked at. */
  readonly getBodyOf?: (id: string) => string;
  /** From sending (dialling included) to the last byte of the answer. Default 30,000. */
  readonly timeoutMs?: number;
  /** What requests that are due get to end after `stop()`. Default 5,000. */
  readonly stopMs?: number;
  /** Called once for every request that ended. */
  readonly onResult?: (result: Result) => void;
}

export interface Client {
  /** What is known so far. */
  summary(): Summary;
  setPostRatio(ratio: number): void;
  /** No new requests; those that are due may end. Afterwards no socket and no timer is left. */
  stop(): Promise<Summary>;
}

/**
 * Puts load on an HTTP server and believes nothing: every request issued is accounted for, its
 * answer must be complete and its own. A connection that the server closes between two requests
 * is no failure; one that it closes after a byte was sent is.
 */
export function startClient(options: ClientOptions): Client {
  const load = new Load(options);
  load.start();
  return {
    summary: () => load.summary(),
    setPostRatio: (ratio) => load.setPostRatio(ratio),
    stop: () => load.stop(),
  };
}

export const LOAD_PATH = "/echo";
const TICK_MS = 2;

class Load {
  readonly #options: ClientOptions;
  readonly #tally = new Tally();
  readonly #connections: readonly StrictConnection[];
  readonly #free: StrictConnection[];
  readonly #waiting: Job[] = [];
  readonly #run = randomBytes(4).toString("hex");
  #n = 0;
  #postRatio: number;
  #postShare = 0;
  #startedAt = 0;
  #ticker: NodeJS.Timeout | undefined;
  #stopBy = Number.POSITIVE_INFINITY;
  #stopped: (() => void) | undefined;
  #stopping: Promise<Summary> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#postRatio = options.postRatio ?? 0;
    const connections = Array.from(
      { length: options.connections ?? 16 },
      () =>
        new StrictConnection({
          host: options.host,
          port: options.port,
          path: options.path ?? LOAD_PATH,
          fields: options.fields ?? {},
          timeoutMs: options.timeoutMs ?? 30_000,
          onEnd: (connection, job, end) => this.#ended(connection, job, end),
          onIdleLoss: (bytes) => this.#tally.idleLoss(bytes),
        }),
    );
    this.#connections = connections;
    this.#free = [...connections];
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#ticker = setInterval(() => this.#tick(performance.now()), TICK_MS);
    this.#refill(this.#startedAt);
  }

  summary(): Summary {
    return this.#tally.summary(this.#waiting.length);
  }

  setPostRatio(ratio: number): void {
    this.#postRatio = ratio;
  }

  stop(): Promise<Summary> {
    this.#stopping ??= this.#finish();
    return this.#stopping;
  }

  async #finish(): Promise<Summary> {
    this.#stopBy = performance.now() + (this.#options.stopMs ?? 5_000);
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
      this.#endIfDone(performance.now());
    });
    clearInterval(this.#ticker);
    const summary = this.summary();
    for (const connection of this.#connections) connection.destroy();
    return summary;
  }

  #tick(now: number): void {
    for (const connection of this.#connections) connection.expire(now);
    this.#refill(now);
    this.#endIfDone(now);
  }

  #refill(now: number): void {
    if (this.#stopped === undefined) {
      if (this.#options.ratePerSecond === undefined) this.#addForFree(now);
      else this.#addDue(now, this.#options.ratePerSecond);
    }
    this.#dispatch(now);
  }

  #addForFree(now: number): void {
    while (this.#waiting.length < this.#free.length) this.#waiting.push(this.#nextJob(now));
  }

  #addDue(now: number, ratePerSecond: number): void {
    // Request 0 is due at the start.
    const due = Math.floor(((now - this.#startedAt) / 1000) * ratePerSecond) + 1;
    while (this.#n < due)
      this.#waiting.push(this.#nextJob(this.#startedAt + (this.#n / ratePerSecond) * 1000));
  }

  #dispatch(now: number): void {
    while (this.#waiting.length > 0) {
      const connection = this.#free.pop();
      if (connection === undefined) return;
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#tally.issued(job);
      connection.send(job, now);
    }
  }

  #nextJob(dueAt: number): Job {
    const n = this.#n++;
    const id = `${this.#run}-${n}`;
    this.#postShare += this.#postRatio;
    if (this.#postShare < 1) return { n, id, method: "GET", body: "", dueAt };
    this.#postShare -= 1;
    const body = `${id} `.padEnd(this.#options.bodyBytes ?? 200, "0123456789");
    return { n, id, method: "POST", body, dueAt };
  }

  #ended(connection: StrictConnection, job: Job, end: Answer | Failure): void {
    const now = performance.now();
    this.#free.push(connection);
    const result = resultOf(job, end, now, this.#options.getBodyOf);
    this.#tally.add(result);
    this.#options.onResult?.(result);
    // After a failure the next tick goes on: a server that refuses must not be hammered.
    if ("status" in end) this.#refill(now);
    this.#endIfDone(now);
  }

  #endIfDone(now: number): void {
    const idle = this.#free.length === this.#connections.length && this.#waiting.length === 0;
    if (this.#stopped !== undefined && (idle || now >= this.#stopBy)) this.#stopped();
  }
}

type GetBodyOf = ClientOptions["getBodyOf"];

function resultOf(job: Job, end: Answer | Failure, now: number, getBodyOf: GetBodyOf): Result {
  const answer = "status" in end ? end : undefined;
  const expected = job.method === "POST" ? job.body : getBodyOf?.(job.id);
  const failure = "status" in end ? verdict(job, end, expected) : end;
  const common = {
    n: job.n,
    id: job.id,
    method: job.method,
    dueAt: performance.timeOrigin + job.dueAt,
    latencyMs: now - job.dueAt,
    status: answer?.status,
    pool: answer?.fields.get("x-app-pool"),
  };
  return failure === undefined
    ? { ...common, ok: true }
    : { ...common, ok: false, kind: failure.kind, detail: failure.detail };
}

/** What is wrong with a complete answer. */
function verdict(job: Job, answer: Answer, expectedBody: string | undefined): Failure | undefined {
  if (answer.status !== 200)
    return {
      kind: "status",
      detail: `${answer.status} ${JSON.stringify(answer.body.slice(0, 200))}`,
    };
  const id = answer.fields.get("x-echo-id");
  if (id !== job.id) return { kind: "wrong-id", detail: `got the answer to ${id ?? "nothing"}` };
  if (expectedBody !== undefined && answer.body !== expectedBody)
    return {
      kind: "wrong-body",
      detail: `got ${answer.body.length} bytes: ${JSON.stringify(answer.body.slice(0, 60))}`,
    };
  return undefined;
}
