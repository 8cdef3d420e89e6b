import { connect } from "node:net";
import type { Socket } from "node:net";
import { AnswerReader } from "./answer-reader.ts";
import type { Answer, Progress } from "./answer-reader.ts";

export type FailureKind =
  | "refused"
  | "reset"
  | "closed"
  | "timeout"
  | "malformed"
  | "short-body"
  | "wrong-body"
  | "wrong-id"
  | "status"
  | "local";

export interface Failure {
  readonly kind: FailureKind;
  readonly detail: string;
}

/** One request that is due, and what its answer must echo. */
export interface Job {
  readonly n: number;
  readonly id: string;
  readonly method: "GET" | "POST";
  readonly body: string;
  /** When it should have been sent, in milliseconds of the process's clock. */
  readonly dueAt: number;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly onEnd: (connection: StrictConnection, job: Job, end: Answer | Failure) => void;
  /** The server closed the connection, or sent bytes, while no request was under way. */
  readonly onIdleLoss: (bytes: number) => void;
}

/** Carries one request at a time, on a kept-alive connection as long as the server keeps it. */
export class StrictConnection {
  readonly #options: ConnectionOptions;
  #socket: Socket | undefined;
  #work:
    | { readonly job: Job; readonly reader: AnswerReader; readonly deadline: number }
    | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  send(job: Job, now: number): void {
    this.#work = { job, reader: new AnswerReader(), deadline: now + this.#options.timeoutMs };
    if (this.#socket === undefined) this.#socket = this.#dial(() => this.#write(job));
    else this.#write(job);
  }

  /** Ends the request under way as timed out if its time is over. */
  expire(now: number): void {
    if (this.#work === undefined || now < this.#work.deadline) return;
    const connected = this.#socket?.connecting === false;
    const detail = connected ? this.#work.reader.describe() : "no connection";
    this.#fail({ kind: "timeout", detail });
  }

  /** Cuts the connection. The request under way, if any, gets no result. */
  destroy(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#work = undefined;
    socket?.destroy();
  }

  #dial(onConnect: () => void): Socket {
    const socket = connect({ host: this.#options.host, port: this.#options.port, noDelay: true });
    let connected = false;
    socket.once("connect", () => {
      connected = true;
      if (this.#socket === socket) onConnect();
    });
    socket.on("data", (bytes: Buffer) => {
      if (this.#socket === socket) this.#read(bytes);
    });
    socket.on("end", () => {
      if (this.#socket === socket) this.#lost({ kind: "closed", detail: "closed" });
    });
    socket.on("error", (error) => {
      if (this.#socket === socket) this.#lost(failureOf(error, connected));
    });
    return socket;
  }

  #write(job: Job): void {
    const { host, port, path, fields } = this.#options;
    let head = `${job.method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n`;
    // The second is for the gateway, whose log then names the request as the client does.
    head += `X-Echo-Id: ${job.id}\r\nX-Request-Id: ${job.id}\r\n`;
    for (const [name, value] of Object.entries(fields)) head += `${name}: ${value}\r\n`;
    if (job.method === "POST")
      head += `Content-Type: text/plain\r\nContent-Length: ${job.body.length}\r\n`;
    this.#socket?.write(`${head}\r\n${job.body}`, "latin1");
  }

  #read(bytes: Buffer): void {
    if (this.#work === undefined) {
      this.destroy();
      this.#options.onIdleLoss(bytes.length);
      return;
    }
    this.#judge(this.#work.reader.push(bytes));
  }

  #judge(progress: Progress): void {
    switch (progress.state) {
      case "more":
        return;
      case "malformed":
        this.#fail({ kind: "malformed", detail: progress.detail });
        return;
      case "done":
        this.#finish(progress.answer);
    }
  }

  #lost(failure: Failure): void {
    if (this.#work === undefined) {
      this.destroy();
      this.#options.onIdleLoss(0);
      return;
    }
    const { reader } = this.#work;
    const progress = failure.kind === "closed" ? reader.close() : undefined;
    if (progress?.state === "done") this.#finish(progress.answer);
    else if (reader.receivedBytes === 0) this.#fail(failure);
    else {
      const kind = reader.inBody ? "short-body" : failure.kind;
      this.#fail({ kind, detail: `${failure.detail} after ${reader.describe()}` });
    }
  }

  #finish(answer: Answer): void {
    if (answer.reusable) this.#end(answer);
    else this.#fail(answer);
  }

  #fail(end: Answer | Failure): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#end(end);
  }

  #end(end: Answer | Failure): void {
    const job = this.#work?.job;
    this.#work = undefined;
    if (job !== undefined) this.#options.onEnd(this, job, end);
  }
}

function failureOf(error: NodeJS.ErrnoException, connected: boolean): Failure {
  const code = error.code ?? "";
  const kind = KIND_OF_CODE.get(code) ?? (connected ? "reset" : "refused");
  return { kind, detail: code === "" ? error.message : code };
}

const KIND_OF_CODE: ReadonlyMap<string, FailureKind> = new Map([
  ["ECONNRESET", "reset"],
  ["EPIPE", "reset"],
  ["ETIMEDOUT", "timeout"],
  // The client's own lack, not the server's fault.
  ["EMFILE", "local"],
  ["EADDRNOTAVAIL", "local"],
]);
