import type { ClosedBy } from "../events.ts";
import { Deadline, type DeadlineWheel } from "./deadline-wheel.ts";
import type { Enrolled } from "./roll.ts";

/** A connection that outlives switches: a tunnel, or a stream of events. */
export interface LongLived extends Enrolled {
  readonly kind: "tunnel" | "stream";
  /** Says goodbye `afterMs` from now; replaces what was planned before. */
  leave(by: ClosedBy, afterMs: number): void;
  /** Its server is in service again: what was planned and has not begun is off. */
  stay(): void;
  /** Its server went down: ends at once. */
  breakOff(): void;
  /** Leaves nothing behind. */
  destroy(): void;
}

/** When a long-lived connection is to say goodbye, while that is planned. */
export class Departure {
  readonly #wheel: DeadlineWheel;
  readonly #go: (by: ClosedBy) => void;
  #deadline: Deadline | undefined;

  constructor(wheel: DeadlineWheel, go: (by: ClosedBy) => void) {
    this.#wheel = wheel;
    this.#go = go;
  }

  plan(by: ClosedBy, afterMs: number): void {
    this.cancel();
    if (afterMs <= 0) return this.#go(by);
    this.#deadline = new Deadline(this.#wheel, () => this.#go(by));
    this.#deadline.arm(afterMs);
  }

  cancel(): void {
    this.#deadline?.end();
    this.#deadline = undefined;
  }
}

/**
 * Lets connections leave one after the other: each in a part of `spreadMs` of its own, at a moment
 * of it that chance decides (`random`: 0 up to 1), so that they do not come back together.
 */
export function leaveSpread(
  leaving: readonly LongLived[],
  by: ClosedBy,
  spreadMs: number,
  random: () => number,
): void {
  const shareMs = spreadMs / leaving.length;
  leaving.forEach((one, at) => one.leave(by, (at + random()) * shareMs));
}
