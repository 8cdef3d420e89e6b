import type { Clock } from "../clock.ts";
import type { ExchangeRecord } from "../events.ts";
import type { Moment } from "./spans.ts";

export interface TracerConfig {
  /** Where spans go: OTLP/HTTP with JSON, `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The part of the traces that is recorded, where no client has decided it, 0 to 1. */
  readonly sample: number;
}

/** Takes what is to be sent; never blocks, never throws. */
export interface SpanSender {
  send(record: ExchangeRecord, at: Moment): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

export interface TracerTools {
  readonly clock: Clock;
  /** Spans are not taken, or are again. */
  readonly tell: (trouble: string | undefined) => void;
}

/** What the end may cost, in milliseconds. */
const CLOSE_MS = 2_000;
/** Exchanges that end while OpenTelemetry is loaded. */
const MOST_WAITING = 1_000;

/** Sends the spans of exchanges to a collector, beside all traffic. */
export class Tracer {
  readonly #tools: TracerTools;
  readonly #loading: Promise<void>;
  #sender: SpanSender | undefined;
  #waiting: (readonly [ExchangeRecord, Moment])[] = [];
  #trouble: string | undefined;

  constructor(config: TracerConfig, tools: TracerTools) {
    this.#tools = tools;
    this.#loading = this.#load(config);
  }

  /** An exchange has ended. */
  note(record: ExchangeRecord): void {
    if (record.trace?.isSampled !== true) return;
    const { clock } = this.#tools;
    const at = { now: clock.now(), wall: clock.wall() };
    if (this.#sender !== undefined) this.#sender.send(record, at);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push([record, at]);
  }

  /** Sends what waits, for at most 2 s. */
  async close(): Promise<void> {
    await this.#loading;
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const cancel = this.#tools.clock.after(CLOSE_MS, resolve);
    await Promise.race([this.#sender?.close(), isLate]).catch(() => {});
    cancel();
  }

  async #load(config: TracerConfig): Promise<void> {
    try {
      const { openSender } = await import("./otlp-sender.ts");
      this.#sender = openSender(config, (trouble) => this.#heard(trouble));
      for (const [record, at] of this.#waiting) this.#sender.send(record, at);
    } catch (error) {
      this.#heard(`OpenTelemetry cannot be loaded: ${String(error)}`);
    }
    this.#waiting = [];
  }

  #heard(trouble: string | undefined): void {
    const isNews = (trouble === undefined) !== (this.#trouble === undefined);
    this.#trouble = trouble;
    if (isNews) this.#tools.tell(trouble);
  }
}
