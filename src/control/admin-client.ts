import { Client, type Dispatcher } from "undici";
import type { z } from "zod";
import type { Address } from "../config/config.ts";
import type { AlertsView, EventView, GroupView, PoolView, StatusView } from "./api-schema.ts";
import {
  alertsView,
  eventsView,
  eventView,
  groupsView,
  groupView,
  orderView,
  poolView,
  problemView,
  statusView,
} from "./api-schema.ts";
import { failureInWords } from "./client-failure.ts";
import type { Outcome } from "./control.ts";
import type { Following } from "./event-streams.ts";
import { type ExchangeView, exchangeView } from "./exchange-view.ts";
import { readEvents } from "./event-reader.ts";
import { BY_FIELD } from "./ordered-by.ts";
import { describeAddress, originOf } from "./reached-address.ts";

/** What a gateway said, or in words why there is nothing. `unknown`: it has no such group. */
export type Answered<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: "failed" | "unknown"; readonly problem: string };

/** Who the client is. */
export interface ClientIdentity {
  /** Who gives its orders, for logs and locks: `cli ops@web1`. */
  readonly by?: string | undefined;
  /** Of the gateway's `admin.token_file`. */
  readonly token?: string | undefined;
}

/** Orders as the API takes them; durations as in the configuration file (`60s`). */
export interface SwitchRequest {
  readonly to: string;
  readonly force?: boolean | undefined;
  readonly dry_run?: boolean | undefined;
  readonly if_active?: string | undefined;
  readonly wait?: boolean | undefined;
  readonly guard?: GuardRequest | undefined;
}

interface GuardRequest {
  readonly for: string;
  /** `1%` */
  readonly max_errors?: string | undefined;
  /** `2x` */
  readonly max_p99?: string | undefined;
}

/** To a pool's servers, or to one of them by its address. */
export interface AdminRequest {
  readonly pool: string;
  readonly server?: string | undefined;
  readonly admin: "ready" | "drain" | "maint";
  readonly force?: boolean | undefined;
  readonly wait?: boolean | undefined;
}

export interface RecentEvents {
  readonly since?: string | undefined;
  readonly group?: string | undefined;
}

export interface RollbackRequest {
  readonly force?: boolean | undefined;
  readonly wait?: boolean | undefined;
}

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
  readonly #headers: Readonly<Record<string, string>>;

  constructor(address: Address, { by, token }: ClientIdentity = {}) {
    this.#where = describeAddress(address);
    this.#client = new Client(originOf(address), {
      ...(address.kind === "unix" && { socketPath: address.path }),
      connect: { timeout: CONNECT_MS },
      bodyTimeout: QUESTION_MS,
    });
    this.#headers = {
      ...(by !== undefined && { [BY_FIELD]: by }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
  }

  status(): Promise<Answered<StatusView>> {
    return this.#ask("/api/v1/status", statusView);
  }

  async groups(): Promise<Answered<readonly GroupView[]>> {
    const answer = await this.#ask("/api/v1/groups", groupsView);
    return answer.ok ? { ok: true, value: answer.value.groups } : answer;
  }

  group(name: string): Promise<Answered<GroupView>> {
    return this.#ask(groupPath(name), groupView);
  }

  pool(group: string, pool: string): Promise<Answered<PoolView>> {
    return this.#ask(poolPath(group, pool), poolView);
  }

  /** One of the last that failed, were retried or had to wait. */
  exchange(requestId: string): Promise<Answered<ExchangeView>> {
    return this.#ask(`/api/v1/exchanges/${encodeURIComponent(requestId)}`, exchangeView);
  }

  /** `online`, `offline`, or `none` where it is no pool of the group. */
  async failoverStatus(group: string, pool: string): Promise<Answered<string>> {
    const path = `${poolPath(group, pool)}/failover-status`;
    const answer = await this.#request({ method: "GET", path, headersTimeout: QUESTION_MS });
    if (!answer.ok) return answer;
    const word = answer.value.text.trim();
    const isRight = answer.value.status === 200 && /^(?:online|offline|none)$/.test(word);
    return isRight ? { ok: true, value: word } : this.#stranger(answer.value);
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
    return this.#order("POST", "/api/v1/reload", {});
  }

  restart(): Promise<Answered<Outcome>> {
    return this.#order("POST", "/api/v1/restart", {});
  }

  switchTo(group: string, request: SwitchRequest): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/switch`, request);
  }

  rollback(group: string, request: RollbackRequest = {}): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/rollback`, request);
  }

  setAdmin(group: string, { pool, server, ...order }: AdminRequest): Promise<Answered<Outcome>> {
    const inPool = poolPath(group, pool);
    const path = server === undefined ? inPool : `${inPool}/servers/${encodeURIComponent(server)}`;
    return this.#order("PATCH", path, order);
  }

  /** `max` as a duration of the configuration file; undefined = as the group is configured. */
  hold(group: string, max?: string): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/hold`, { max });
  }

  resume(group: string): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/resume`, {});
  }

  setMaintenance(group: string, on: boolean): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/maintenance`, { on });
  }

  /** Weights by pool; undefined = as configured. */
  setSplit(
    group: string,
    split: Readonly<Record<string, number>> | undefined,
  ): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/split`, { split: split ?? null });
  }

  startStandby(group: string, pool: string, force = false): Promise<Answered<Outcome>> {
    return this.#order("POST", `${poolPath(group, pool)}/start`, { force });
  }

  stopStandby(group: string, pool: string, force = false): Promise<Answered<Outcome>> {
    return this.#order("POST", `${poolPath(group, pool)}/stop`, { force });
  }

  /** `time` as a duration of the configuration file. */
  drill(group: string, time?: string): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/drill`, { for: time });
  }

  reset(group: string): Promise<Answered<Outcome>> {
    return this.#order("POST", `${groupPath(group)}/reset`, {});
  }

  /** `definition` as the group would stand in the file. */
  createGroup(name: string, definition: unknown): Promise<Answered<Outcome>> {
    return this.#order("POST", "/api/v1/groups", { name, definition });
  }

  changeGroup(group: string, definition: unknown): Promise<Answered<Outcome>> {
    return this.#order("PATCH", groupPath(group), { definition });
  }

  deleteGroup(group: string, force = false): Promise<Answered<Outcome>> {
    return this.#order("DELETE", `${groupPath(group)}${force ? "?force" : ""}`);
  }

  alerts(): Promise<Answered<AlertsView>> {
    return this.#ask("/api/v1/alerts", alertsView);
  }

  /** Sends a message through every channel. */
  testAlerts(): Promise<Answered<Outcome>> {
    return this.#order("POST", "/api/v1/alerts/test", {});
  }

  /** The last thousand events, or all since so long ago (a duration of the configuration file), oldest first. */
  async recentEvents({ since, group }: RecentEvents = {}): Promise<Answered<readonly EventView[]>> {
    const query = new URLSearchParams({
      ...(since !== undefined && { since }),
      ...(group !== undefined && { group }),
    });
    const answer = await this.#ask(`/api/v1/events/recent?${query.toString()}`, eventsView);
    return answer.ok ? { ok: true, value: answer.value.events } : answer;
  }

  /** Calls back for each event until `signal` aborts (then it resolves with `ok`) or the gateway ends. */
  async follow(
    onEvent: (event: EventView) => void,
    signal: AbortSignal,
    { since, group }: Following = {},
  ): Promise<Answered<undefined>> {
    const query = new URLSearchParams({
      ...(since !== undefined && { since_id: String(since) }),
      ...(group !== undefined && { group }),
    });
    try {
      const { statusCode, body } = await this.#client.request({
        method: "GET",
        path: `/api/v1/events?${query.toString()}`,
        headers: this.#headers,
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

  async #order(
    method: "POST" | "PATCH" | "DELETE",
    path: string,
    body?: object,
  ): Promise<Answered<Outcome>> {
    const answer = await this.#request({
      method,
      path,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
      headersTimeout: ORDER_MS,
    });
    if (!answer.ok) return answer;
    const outcome = outcomeOf(answer.value.status, answer.value.text);
    return outcome === undefined ? this.#stranger(answer.value) : { ok: true, value: outcome };
  }

  async #request({
    headers,
    ...options
  }: RequestOptions): Promise<Answered<{ readonly status: number; readonly text: string }>> {
    try {
      const all = { ...this.#headers, ...headers };
      const { statusCode, body } = await this.#client.request({ ...options, headers: all });
      return { ok: true, value: { status: statusCode, text: await body.text() } };
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** An answer that was not asked for: a gateway's error, or somebody else. */
  #stranger({ status, text }: { readonly status: number; readonly text: string }): Answered<never> {
    const error = parseAs(problemView, text);
    if (error === undefined) {
      const problem = `what answers at ${this.#where} (with ${status}) is no admin API of Understudy`;
      return { ok: false, kind: "failed", problem };
    }
    const kind = error.code === "NOT_FOUND" ? "unknown" : "failed";
    return { ok: false, kind, problem: error.detail };
  }

  #failed(error: unknown): Answered<never> {
    return { ok: false, kind: "failed", problem: failureInWords(error, this.#where) };
  }
}

type RequestOptions = Omit<Dispatcher.RequestOptions, "headers"> & {
  readonly headers?: Readonly<Record<string, string>>;
};

function groupPath(group: string): string {
  return `/api/v1/groups/${encodeURIComponent(group)}`;
}

function poolPath(group: string, pool: string): string {
  return `${groupPath(group)}/pools/${encodeURIComponent(pool)}`;
}

/** Undefined where the answer is no order's. */
function outcomeOf(status: number, text: string): Outcome | undefined {
  if (status === 200) {
    const done = parseAs(orderView, text);
    if (done === undefined) return undefined;
    const { lines, ...facts } = done;
    return { ok: true, lines, ...some(facts) };
  }
  const error = parseAs(problemView, text);
  const kind = error && kindOf(error.code);
  if (error === undefined || kind === undefined) return undefined;
  const { type: _, title: __, status: ___, code: ____, detail, lines, ...facts } = error;
  return { ok: false, kind, lines: lines ?? [detail], ...some(facts) };
}

function some(facts: Readonly<Record<string, unknown>>) {
  return Object.keys(facts).length > 0 && { facts };
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
    case "ROLLED_BACK":
      return "rolled_back";
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
