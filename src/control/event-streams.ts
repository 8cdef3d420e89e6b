import type { ServerResponse } from "node:http";
import type { Cancel, Clock } from "../clock.ts";
import { type EventHistory, isOfGroup, type KeptEvent } from "./event-history.ts";

const HEARTBEAT_MS = 15_000;
const MOST_STREAMS = 32;
/** What may wait for a client that does not read, in bytes. */
const MOST_WAITING_BYTES = 256 * 1024;

/** From where somebody follows, and what. */
export interface Following {
  /** The number of the last event that is known already; undefined = from now on. */
  readonly since?: number | undefined;
  /** Undefined = all. */
  readonly group?: string | undefined;
}

/** Server-sent events: everybody who follows what happens. */
export class EventStreams {
  readonly #clock: Clock;
  /** Whom they follow: a group, or undefined for all. */
  readonly #open = new Map<ServerResponse, string | undefined>();
  readonly #history: Pick<EventHistory, "behind">;
  /** Those whose last heartbeat has not left this process yet. */
  readonly #behind = new Set<ServerResponse>();
  #cancelHeartbeat: Cancel = () => {};

  constructor(clock: Clock, history: Pick<EventHistory, "behind">) {
    this.#clock = clock;
    this.#history = history;
  }

  get isFull(): boolean {
    return this.#open.size >= MOST_STREAMS;
  }

  /** Takes a response over, up to its end. */
  add(response: ServerResponse, { since, group }: Following = {}): void {
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      Connection: "close",
    });
    if (since === undefined) response.write(": events from now on\n\n");
    else this.#replay(response, since, group);
    this.#open.set(response, group);
    response.on("close", () => this.#remove(response));
    if (this.#open.size === 1) this.#beatLater();
  }

  send(event: KeptEvent): void {
    const text = textOf(event);
    for (const [response, group] of this.#open) {
      if (!isOfGroup(event, group)) continue;
      if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
      else response.write(text);
    }
  }

  /** Ends every stream. */
  stop(): void {
    this.#cancelHeartbeat();
    for (const response of this.#open.keys()) response.end();
  }

  #replay(response: ServerResponse, since: number, group: string | undefined): void {
    const { events, missing } = this.#history.behind(since);
    response.write(`: events since ${since}${missing === undefined ? "" : `; ${missing}`}\n\n`);
    for (const event of events) if (isOfGroup(event, group)) response.write(textOf(event));
  }

  #beatLater(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => {
      for (const response of this.#open.keys()) this.#beat(response);
      this.#beatLater();
    });
  }

  #beat(response: ServerResponse): void {
    if (this.#behind.has(response)) {
      response.destroy();
      return;
    }
    this.#behind.add(response);
    response.write(": still here\n\n", () => this.#behind.delete(response));
  }

  #remove(response: ServerResponse): void {
    this.#open.delete(response);
    this.#behind.delete(response);
    if (this.#open.size === 0) this.#cancelHeartbeat();
  }
}

function textOf(event: KeptEvent): string {
  const { number, type } = event;
  return `id: ${number}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
}
