import type { Cancel, Clock } from "../clock.ts";
import type { ExchangeRecord } from "../events.ts";
import type { Ended } from "./spans.ts";

export interface TracerConfig {
  /** Where spans go: OTLP/HTTP with protobuf, `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The part of the traces that is recorded, where no client has decided it, 0 to 1. */
  readonly sample: number;
}

/** Makes spans of exchanges, and takes them to a collector. */
export interface SpanSender {
  /** An ExportTraceServiceRequest. Several, one behind the other, are one with the spans of all. */
  encode(batch: readonly Ended[]): Uint8Array;
  /** Resolves with what was in the way; undefined where it was taken. */
  send(body: Uint8Array): Promise<string | undefined>;
  /** Breaks off what is on its way. */
  close(): Promise<void>;
}

export interface TracerTools {
  readonly clock: Clock;
  /** Spans are not taken, or are again. */
  readonly tell: (trouble: string | undefined) => void;
}

/**
 * Exchanges that become spans together. One alone costs five times as much; those that wait longer
 * than new objects last are moved by the garbage collector, 2 % of all CPU at 400 a second.
 */
const BATCH = 8;
/** While OpenTelemetry is loaded. */
const MOST_WAITING = 1_000;
/** What is sent at once, and what waits at most for a slow collector, in bytes. */
const SEND_BYTES = 1 << 19;
const MOST_BYTES = 1 << 22;
/** How long spans wait for company, and what the end may cost, in milliseconds. */
const WAIT_MS = 1_000;
const CLOSE_MS = 2_000;

/** Sends the spans of exchanges to a collector, beside all traffic. */
export class Tracer {
  readonly #tools: TracerTools;
  readonly #loading: Promise<SpanSender>;
  #sender: SpanSender | undefined;
  #waiting: Ended[] = [];
  #encoded: Uint8Array[] = [];
  #bytes = 0;
  #cancelWait: Cancel | undefined;
  #sending: Promise<void> | undefined;
  #isClosed = false;
  /** Exchanges without room, since the last sending. */
  #lost = 0;
  #trouble: string | undefined;

  constructor(config: TracerConfig, tools: TracerTools) {
    this.#tools = tools;
    this.#loading = loadSender(config).then((sender) => (this.#sender = sender));
  }

  /** An exchange has ended. */
  note(record: ExchangeRecord): void {
    const { trace } = record;
    if (trace?.isSampled !== true) return;
    if (this.#waiting.length >= MOST_WAITING || this.#bytes >= MOST_BYTES) {
      this.#lost += 1;
      return;
    }
    const { clock } = this.#tools;
    this.#waiting.push({ record, trace, zeroAt: clock.wall() - clock.now() });
    if (this.#waiting.length >= BATCH) this.#encode();
    this.#sendSoon();
  }

  /** Sends what waits, for at most 2 s. */
  async close(): Promise<void> {
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const cancel = this.#tools.clock.after(CLOSE_MS, resolve);
    await Promise.race([this.#sendRest(), isLate]);
    cancel();
    const sender = await this.#loading;
    this.#isClosed = true;
    this.#cancelWait?.();
    await sender.close();
  }

  async #sendRest(): Promise<void> {
    await this.#sending;
    if (this.#hasMore) this.#send();
    await this.#sending;
  }

  get #hasMore(): boolean {
    return this.#waiting.length > 0 || this.#bytes > 0;
  }

  #encode(): void {
    if (this.#sender === undefined || this.#waiting.length === 0) return;
    const body = this.#sender.encode(this.#waiting);
    this.#waiting = [];
    this.#encoded.push(body);
    this.#bytes += body.length;
  }

  #sendSoon(): void {
    if (this.#sending !== undefined || this.#isClosed) return;
    if (this.#bytes >= SEND_BYTES) this.#send();
    else this.#cancelWait ??= this.#tools.clock.after(WAIT_MS, () => this.#send());
  }

  #send(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#sending = this.#sendNow().finally(() => {
      this.#sending = undefined;
      if (this.#hasMore) this.#sendSoon();
    });
  }

  async #sendNow(): Promise<void> {
    const sender = await this.#loading;
    this.#encode();
    const [body, lost] = [Buffer.concat(this.#encoded), this.#lost];
    [this.#encoded, this.#bytes, this.#lost] = [[], 0, 0];
    const trouble = await sender.send(body).catch(reasonOf);
    this.#heard(trouble ?? (lost === 0 ? undefined : `it is too slow: ${lost} requests are lost`));
  }

  #heard(trouble: string | undefined): void {
    const isNews = (trouble === undefined) !== (this.#trouble === undefined);
    this.#trouble = trouble;
    if (isNews) this.#tools.tell(trouble);
  }
}

async function loadSender(config: TracerConfig): Promise<SpanSender> {
  try {
    const { openSender } = await import("./otlp-sender.ts");
    return openSender(config);
  } catch (error) {
    const trouble = `OpenTelemetry cannot be loaded: ${reasonOf(error)}`;
    return {
      encode: () => new Uint8Array(),
      send: () => Promise.resolve(trouble),
      close: () => Promise.resolve(),
    };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
