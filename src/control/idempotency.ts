import type { Clock } from "../clock.ts";
import { type AdminAnswer, problem } from "./admin-answer.ts";

/** How long an answer is kept for whoever asks again, and how many. */
const KEPT_MS = 3_600_000;
const MOST = 1_000;

interface Kept {
  /** Of the request that the key came with. */
  readonly request: string;
  readonly answer: Promise<AdminAnswer>;
  readonly at: number;
}

/**
 * `Idempotency-Key`: an order that is given twice with the same key is carried out once, and both get the same answer
 * (draft-ietf-httpapi-idempotency-key-header). Whoever asks while the first one is under way waits for it.
 */
export class Idempotency {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `request`: what tells one order from another. */
  async once(key: string, request: string, work: () => Promise<AdminAnswer>): Promise<AdminAnswer> {
    this.#forget();
    const known = this.#kept.get(key);
    if (known === undefined) return await this.#begin(key, request, work);
    if (known.request === request) return await known.answer;
    return problem(
      "KEY_REUSED",
      "this Idempotency-Key came with another request before: take a new one",
    );
  }

  #begin(key: string, request: string, work: () => Promise<AdminAnswer>): Promise<AdminAnswer> {
    const answer = work();
    this.#kept.set(key, { request, answer, at: this.#clock.now() });
    // What met a bug may be tried again.
    answer.catch(() => this.#kept.delete(key));
    return answer;
  }

  #forget(): void {
    const oldest = this.#clock.now() - KEPT_MS;
    for (const [key, { at }] of this.#kept) {
      if (at >= oldest && this.#kept.size < MOST) return;
      this.#kept.delete(key);
    }
  }
}
