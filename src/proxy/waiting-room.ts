/** A request that nobody can take yet. */
export interface Waiter {
  /** Something has changed: goes on where it can, and has left by then. */
  look(): void;
}

/**
 * Where requests of a group wait: for a server, or for an operator to open its door. First come, first let in. What
 * they have of bodies stays with their clients, but for the little that is read ahead.
 */
export class WaitingRoom {
  readonly #waiters = new Set<Waiter>();
  #isToLook = false;

  get size(): number {
    return this.#waiters.size;
  }

  enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** The group has changed. They look once those that have to know first do. */
  tellChange(): void {
    if (this.#waiters.size === 0 || this.#isToLook) return;
    this.#isToLook = true;
    queueMicrotask(() => {
      this.#isToLook = false;
      for (const waiter of Array.from(this.#waiters)) waiter.look();
    });
  }
}
