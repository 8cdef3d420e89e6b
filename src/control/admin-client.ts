import { isIP } from "node:net";
import { Client, type Dispatcher } from "undici";
import { z } from "zod";
import type { Address } from "../config/config.ts";
import type { EventView, GroupView, StatusView } from "./api-schema.ts";
import {
  errorView,
  eventView,
  groupsView,
  groupView,
  orderView,
  statusView,
} from "./api-schema.ts";
import type { Outcome } from "./control.ts";
import { readEvents } from "./event-reader.ts";

/** What a gateway said, or in words why there is nothing. `unknown`: it has no such group. */
export type Answered<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: "failed" | "unknown"; readonly problem: string };

/** How long answers may take, in milliseconds. */
const CONNECT_MS = 3_000;
const QUESTION_MS = 5_000;
/** An order may wait for requests in flight to end. */
const ORDER_MS = 600_000;
/** Longer than three heartbeats of the stream. */
const SILENCE_MS = 50_000;

/** Speaks with the gateway whose admin API listens at `address`; close() it. */
export class AdminClient {
  readonly #where: string;
  readonly #client: Client;

  constructor(address: Address) {
    this.#where = describeAddress(address);
    this.#client = new Client(originOf(address), {
      ...(address.kind === "unix" && { socketPath: address.path }),
      connect: { timeout: CONNECT_MS },
      bodyTimeout: QUESTION_MS,
    });
  }

  status(): Promise<Answered<StatusView>> {
    return this.#ask("/api/v1/status", statusView);
  }

  async groups(): Promise<Answered<readonly GroupView[]>> {
    const answer = await this.#ask("/api/v1/groups", groupsView);
    return answer.ok ? { ok: true, value: answer.value.groups } : answer;
  }

  group(name: string): Promise<Answered<GroupView>> {
    return this.#ask(`/api/v1/groups/${encodeURIComponent(name)}`, groupView);
  }

  /** Whether clients may be sent there; `text` says why not. `timeoutMs` for all of it. */
  async readiness(timeoutMs: number): Promise<Answered<{ isReady: boolean; text: string }>> {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await this.#request({ method: "GET", path: "/readyz", signal });
    if (!answer.ok) return answer;
    const { status, text } = answer.value;
    if (status !== 200 && status !== 503) return this.#stranger(answer.value);
    return { ok: true, value: { isReady: status === 200, text } };
  }

  reload(): Promise<Answered<Outcome>> {
    return this.#order("/api/v1/reload", {});
  }

  restart(): Promise<Answered<Outcome>> {
    return this.#order("/api/v1/restart", {});
  }

  switchTo(group: string, pool: string): Promise<Answered<Outcome>> {
    return this.#order(`/api/v1/groups/${encodeURIComponent(group)}/switch`, { to: pool });
  }

  /** Calls back for each event until `signal` aborts (then it resolves with `ok`) or the gateway ends. */
  async follow(
    onEvent: (event: EventView) => void,
    signal: AbortSignal,
  ): Promise<Answered<undefined>> {
    try {
      const { statusCode, body } = await this.#client.request({
        method: "GET",
        path: "/api/v1/events",
        headersTimeout: QUESTION_MS,
        bodyTimeout: SILENCE_MS,
        signal,
      });
      if (statusCode !== 200) {
        return this.#stranger({ status: statusCode, text: await body.text() });
      }
      for await (const data of readEvents(body)) {
        const event = eventView.safeParse(data);
        if (event.success) onEvent(event.data);
      }
    } catch (error) {
      if (!signal.aborted) return this.#failed(error);
    }
    if (signal.aborted) return { ok: true, value: undefined };
    return { ok: false, kind: "failed", problem: `the gateway at ${this.#where} has ended` };
  }

  /** Breaks whatever is under way. */
  async close(): Promise<void> {
    await this.#client.destroy();
  }

  async #ask<T>(path: string, schema: z.ZodType<T>): Promise<Answered<T>> {
    const answer = await this.#request({ method: "GET", path, headersTimeout: QUESTION_MS });
    if (!answer.ok) return answer;
    const parsed = parseAs(schema, answer.value.text);
    return answer.value.status === 200 && parsed !== undefined
      ? { ok: true, value: parsed }
      : this.#stranger(answer.value);
  }

  async #order(path: string, body: object): Promise<Answered<Outcome>> {
    const answer = await this.#request({
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      headersTimeout: ORDER_MS,
    });
    if (!answer.ok) return answer;
    const { status, text } = answer.value;
    const done = status === 200 ? parseAs(orderView, text) : undefined;
    if (done !== undefined) return { ok: true, value: { ok: true, lines: done.lines } };
    const error = parseAs(errorView, text);
    const kind = error && kindOf(error.error);
    if (error === undefined || kind === undefined) return this.#stranger(answer.value);
    return { ok: true, value: { ok: false, kind, lines: error.lines ?? [error.message] } };
  }

  async #request(
    options: Dispatcher.RequestOptions,
  ): Promise<Answered<{ readonly status: number; readonly text: string }>> {
    try {
      const { statusCode, body } = await this.#client.request(options);
      return { ok: true, value: { status: statusCode, text: await body.text() } };
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** An answer that was not asked for: a gateway's error, or somebody else. */
  #stranger({ status, text }: { readonly status: number; readonly text: string }): Answered<never> {
    const error = parseAs(errorView, text);
    if (error === undefined) {
      const problem = `what answers at ${this.#where} (with ${status}) is no admin API of Understudy`;
      return { ok: false, kind: "failed", problem };
    }
    const kind = error.error === "NOT_FOUND" ? "unknown" : "failed";
    return { ok: false, kind, problem: error.message };
  }

  #failed(error: unknown): Answered<never> {
    return { ok: false, kind: "failed", problem: failureInWords(error, this.#where) };
  }
}

/** What an order came to, by the code of its error; of all others none was tried. */
function kindOf(code: string) {
  switch (code) {
    case "FAILED":
      return "failed";
    case "REFUSED":
      return "refused";
    case "NOT_FOUND":
      return "unknown";
  }
  return undefined;
}

/** Undefined where the text is anything else. */
function parseAs<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const TIMEOUTS = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const BROKEN = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"]);

/** Undici's and Node's errors; the only place that knows their names. */
function failureInWords(error: unknown, where: string): string {
  const code = z.object({ code: z.string() }).safeParse(error).data?.code ?? "";
  const name = error instanceof Error ? error.name : "";
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return `no gateway answers at ${where}: is it running, and does its configuration have \`admin:\`?`;
  }
  if (code === "EACCES") return `${where} may not be used by this user: permission denied`;
  if (TIMEOUTS.has(code) || name === "TimeoutError") {
    return `the gateway at ${where} does not answer in time`;
  }
  if (BROKEN.has(code)) {
    return `the gateway at ${where} ended the connection: it may be stopping`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return `the gateway at ${where} cannot be asked: ${reason}`;
}

/** `127.0.0.1:9900`, `unix:/run/understudy-admin.sock`. */
function describeAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = reachable(address);
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function originOf(address: Address): string {
  return address.kind === "unix" ? "http://localhost" : `http://${describeAddress(address)}`;
}

/** Who listens on every address is reached by loopback. */
function reachable({ host, port }: Extract<Address, { kind: "tcp" }>) {
  if (host === "0.0.0.0") return { host: "127.0.0.1", port };
  return { host: host === "::" ? "::1" : host, port };
}
