import type { ClosedBy } from "../events.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { AnswerRelay } from "./answer-relay.ts";
import type { AnswerReceiver } from "./attempt.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { EventFollower } from "./event-follower.ts";
import { Departure, type LongLived } from "./long-lived.ts";

interface StreamSettings {
  readonly wheel: DeadlineWheel;
  /** The server's part of it is over; what the client has of it will be whole. */
  readonly onLeave: (by: ClosedBy) => void;
  readonly onClosed: () => void;
}

/** Server-sent events that the gateway may end: behind an event, with a length only they know. */
export function isEventStream(head: ResponseHead): boolean {
  if (typeof head.framing === "number") return false;
  const type = head.field("content-type");
  if (type === undefined || !/^text\/event-stream *(?:;|$)/i.test(type)) return false;
  // Where an event ends cannot be seen in what is compressed.
  return head.field("content-encoding") === undefined;
}

/** An answer of server-sent events: passed on like any other, and ended behind an event where it has to go. */
export class EventStream implements AnswerReceiver, LongLived {
  readonly kind = "stream";
  place = -1;
  readonly #relay: AnswerRelay;
  readonly #settings: StreamSettings;
  readonly #events = new EventFollower();
  #departure: Departure | undefined;
  #leavesBy: ClosedBy | undefined;
  #over = false;

  constructor(relay: AnswerRelay, settings: StreamSettings) {
    this.#relay = relay;
    this.#settings = settings;
  }

  leave(by: ClosedBy, afterMs: number): void {
    this.#departure ??= new Departure(this.#settings.wheel, (who) => this.#part(who));
    this.#departure.plan(by, afterMs);
  }

  stay(): void {
    this.#departure?.cancel();
  }

  /** An event that has begun may still be finished: it is the client that would miss the rest. */
  breakOff(): void {
    this.#part("failed");
  }

  /** True where it could end: its server has not been heard of for long. */
  endSilent(): boolean {
    if (!this.#over && this.#events.isBetween) this.#finish("idle");
    return this.#over;
  }

  /** Its exchange is over. */
  destroy(): void {
    this.#over = true;
    this.#departure?.cancel();
    this.#settings.onClosed();
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#over) return;
    if (this.#leavesBy === undefined) {
      this.#events.follow(bytes, from, to);
      return this.#relay.onBody(bytes, from, to);
    }
    const end = this.#events.followEvent(bytes, from, to);
    const passed = end < 0 ? to : end;
    if (passed > from) this.#relay.onBody(bytes, from, passed);
    if (end >= 0) this.#finish(this.#leavesBy);
  }

  onReadEnd(): void {
    if (!this.#over) this.#relay.onReadEnd();
  }

  onAnswerEnd(trailers: string): void {
    if (!this.#over) this.#relay.onAnswerEnd(trailers);
  }

  #part(by: ClosedBy): void {
    if (this.#over || this.#leavesBy !== undefined) return;
    this.#leavesBy = by;
    if (this.#events.isBetween) this.#finish(by);
  }

  #finish(by: ClosedBy): void {
    this.#over = true;
    this.#settings.onLeave(by);
    this.#relay.onAnswerEnd("");
  }
}
