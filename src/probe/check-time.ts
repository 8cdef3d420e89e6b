import type { Cancel } from "../clock.ts";

/** Calls back once when `ms` have passed; time in which our own event loop was stalled does not count. */
export type SetDeadline = (ms: number, expire: () => void) => Cancel;

/**
 * What one check may take. Its limits are no timers of Node: after a stall of our event loop those
 * expire before anybody reads what the server has said meanwhile.
 */
export class CheckTime {
  readonly #setDeadline: SetDeadline;
  readonly #all: AbortSignal;
  readonly #aborter = new AbortController();
  readonly #abort = () => this.#aborter.abort(new Error("aborted"));
  #cancel: Cancel = () => {};

  /** `all`: aborts every check. */
  constructor(setDeadline: SetDeadline, all: AbortSignal) {
    this.#setDeadline = setDeadline;
    this.#all = all;
    all.addEventListener("abort", this.#abort);
    if (all.aborted) this.#abort();
  }

  /** Aborts, with the reason in words, when the time is up. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** From now on so many milliseconds for this part of the check, in place of the one before. */
  allow(ms: number, part: "connection" | "answer" | "exit"): void {
    this.#cancel();
    this.#cancel = this.#setDeadline(ms, () => {
      this.#aborter.abort(new Error(`no ${part} within ${ms} ms`));
    });
  }

  end(): void {
    this.#cancel();
    this.#all.removeEventListener("abort", this.#abort);
  }
}
