import type { Outcome } from "./control.ts";

/**
 * One reload at a time. Who asks while one is under way gets the outcome of the next, which sees
 * whatever was written until it begins; however many ask, there is one.
 */
export class Reloader {
  readonly #reload: () => Promise<Outcome>;
  #running: Promise<Outcome> | undefined;
  #next: Promise<Outcome> | undefined;

  constructor(reload: () => Promise<Outcome>) {
    this.#reload = reload;
  }

  request(): Promise<Outcome> {
    if (this.#running === undefined) return this.#begin();
    const begin = (): Promise<Outcome> => {
      this.#next = undefined;
      return this.#begin();
    };
    this.#next ??= this.#running.then(begin, begin);
    return this.#next;
  }

  #begin(): Promise<Outcome> {
    this.#running = this.#reload().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
