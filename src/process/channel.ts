/** What an order came to. */
export type Answer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: string;
      /** The other process ended, or was given up, before it could answer. */
      readonly isGone?: boolean;
    };

export const DONE: Answer = { ok: true };

export type Packet<Ask, Tell> =
  | { readonly kind: "ask"; readonly id: number; readonly body: Ask }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | { readonly kind: "tell"; readonly body: Tell };

/** One direction between two processes: in order, each message whole, until one of them ends. */
type Send<Ask, Tell> = (packet: Packet<Ask, Tell>, handle?: object) => void;

export interface ChannelEnd<Ask, Tell> {
  /** `handle`: a socket that came with the order. */
  onAsk(body: Ask, handle: object | undefined): Promise<Answer>;
  onTell(body: Tell): void;
}

/** Orders and news between the supervisor and one worker; both ends speak the same protocol version. */
export class Channel<AskOut, TellOut, AskIn, TellIn> {
  readonly #send: Send<AskOut, TellOut>;
  readonly #end: ChannelEnd<AskIn, TellIn>;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #closedWhy: string | undefined;

  constructor(send: Send<AskOut, TellOut>, end: ChannelEnd<AskIn, TellIn>) {
    this.#send = send;
    this.#end = end;
  }

  /** Resolves with the other's answer, or with the reason why none can come any more. */
  ask(body: AskOut, handle?: object): Promise<Answer> {
    const reason = this.#closedWhy;
    if (reason !== undefined) return Promise.resolve({ ok: false, reason, isGone: true });
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#send({ kind: "ask", id, body }, handle);
    });
  }

  tell(body: TellOut): void {
    if (this.#closedWhy === undefined) this.#send({ kind: "tell", body });
  }

  receive(packet: Packet<AskIn, TellIn>, handle?: object): void {
    if (packet.kind === "answer") {
      this.#asked.get(packet.id)?.(packet.answer);
      this.#asked.delete(packet.id);
      return;
    }
    if (packet.kind === "tell") return this.#end.onTell(packet.body);
    void this.#answer(packet.id, packet.body, handle);
  }

  /** The other process is gone, or of no interest any more. */
  close(reason: string): void {
    this.#closedWhy ??= reason;
    for (const resolve of this.#asked.values()) resolve({ ok: false, reason, isGone: true });
    this.#asked.clear();
  }

  async #answer(id: number, body: AskIn, handle: object | undefined): Promise<void> {
    const answer = await this.#end.onAsk(body, handle);
    if (this.#closedWhy === undefined) this.#send({ kind: "answer", id, answer });
  }
}
