import type { ServerResponse } from "node:http";
import type { Cancel, Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import { isoUtc } from "../observe/log-time.ts";

const HEARTBEAT_MS = 15_000;
const MOST_STREAMS = 32;
/** What may wait for a client that does not read, in bytes. */
const MOST_WAITING_BYTES = 256 * 1024;

/** Server-sent events: everybody who follows what happens. */
export class EventStreams {
  readonly #clock: Clock;
  readonly #open = new Set<ServerResponse>();
  /** Those whose last heartbeat has not left this process yet. */
  readonly #behind = new Set<ServerResponse>();
  #number = 0;
  #cancelHeartbeat: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#open.size >= MOST_STREAMS;
  }

  /** Takes a response over, up to its end. */
  add(response: ServerResponse): void {
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      Connection: "close",
    });
    response.write(": events from now on\n\n");
    this.#open.add(response);
    response.on("close", () => this.#remove(response));
    if (this.#open.size === 1) this.#beatLater();
  }

  send(event: GatewayEvent): void {
    this.#number += 1;
    const data = { number: this.#number, time: isoUtc(this.#clock.wall()), ...event };
    const text = `id: ${this.#number}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const response of this.#open) {
      if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
      else response.write(text);
    }
  }

  /** Ends every stream. */
  stop(): void {
    this.#cancelHeartbeat();
    for (const response of this.#open) response.end();
  }

  #beatLater(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => {
      for (const response of this.#open) this.#beat(response);
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
