import type { ClosedBy } from "../events.ts";
import { Deadline, type DeadlineWheel } from "./deadline-wheel.ts";
import { type Enrolled, Roll } from "./roll.ts";

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

/** Milliseconds, enough for the caller to be through with what it does. */
const SOON_MS = 1;

/** How connections leave: within `spreadMs`, which begins `afterMs` from now. */
export interface Leave {
  readonly by: ClosedBy;
  readonly afterMs: number;
  readonly spreadMs: number;
}

/** The long-lived connections of one server, and what those that come late have to know. */
export class LongLivedRoll {
  readonly #roll = new Roll<LongLived>();
  /** When a drain last told all that were there to leave; monotonic ms. */
  #toldAt = Number.NEGATIVE_INFINITY;
  /** From when on nobody may stay, as the configuration has no such server; monotonic ms. */
  #closesAt: number | undefined;
  #isStopping = false;

  get size(): number {
    return this.#roll.size;
  }

  get tunnels(): number {
    return this.#roll.list().filter(({ kind }) => kind === "tunnel").length;
  }

  /** Its attempt began at `since` (monotonic ms): it is told what the others were told after that. */
  admit(one: LongLived, since: number, now: number): void {
    this.#roll.add(one);
    if (this.#isStopping) one.leave("stop", SOON_MS);
    else if (this.#closesAt !== undefined)
      one.leave("drain", Math.max(SOON_MS, this.#closesAt - now));
    else if (this.#toldAt >= since) one.leave("drain", SOON_MS);
  }

  dismiss(one: LongLived): void {
    this.#roll.delete(one);
  }

  /** A drain has ended. */
  drain(spreadMs: number, now: number, random: () => number): void {
    this.#toldAt = now;
    this.#leave({ by: "drain", afterMs: 0, spreadMs }, random);
  }

  /** The server is taken out of the configuration: all leave from `at` on (monotonic ms). */
  close(at: number, spreadMs: number, now: number, random: () => number): void {
    this.#closesAt = at;
    this.#leave({ by: "drain", afterMs: Math.max(0, at - now), spreadMs }, random);
  }

  /** The configuration has the server again. */
  reopen(): void {
    if (this.#closesAt === undefined) return;
    this.#closesAt = undefined;
    this.stay();
  }

  /** The gateway stops. */
  stop(spreadMs: number, random: () => number): void {
    this.#isStopping = true;
    this.#leave({ by: "stop", afterMs: 0, spreadMs }, random);
  }

  /** What was planned and has not begun is off. */
  stay(): void {
    for (const one of this.#roll.list()) one.stay();
  }

  breakOff(): void {
    for (const one of this.#roll.list()) one.breakOff();
  }

  /** Whoever is left after the gateway has stopped. */
  destroy(): void {
    if (this.#isStopping) for (const one of this.#roll.list()) one.destroy();
  }

  #leave(how: Leave, random: () => number): void {
    leaveSpread(this.#roll.list(), how, random);
  }
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
  { by, afterMs, spreadMs }: Leave,
  random: () => number,
): void {
  const shareMs = spreadMs / leaving.length;
  leaving.forEach((one, at) => one.leave(by, afterMs + (at + random()) * shareMs));
}
