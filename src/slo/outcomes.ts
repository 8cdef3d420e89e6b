/** How requests of a group went, for one objective. */
export interface Outcomes {
  readonly all: number;
  readonly bad: number;
}

export const NONE: Outcomes = { all: 0, bad: 0 };

export function addOutcomes(one: Outcomes, other: Outcomes): Outcomes {
  return { all: one.all + other.all, bad: one.bad + other.bad };
}

/** One interval of time, by its number since the epoch. */
export type Bucket = readonly [number: number, all: number, bad: number];

/** Outcomes of the latest intervals of one length. */
export class Buckets {
  readonly #lengthMs: number;
  readonly #most: number;
  /** Oldest first; intervals without a request have none. */
  #kept: readonly Bucket[];

  /** `most`: how many intervals are looked back. */
  constructor(lengthMs: number, most: number, kept: readonly Bucket[] = []) {
    this.#lengthMs = lengthMs;
    this.#most = most;
    this.#kept = kept;
  }

  get kept(): readonly Bucket[] {
    return this.#kept;
  }

  /** Counts what came at a time, in milliseconds since the epoch. */
  add({ all, bad }: Outcomes, at: number): void {
    const number = this.#numberAt(at);
    const last = this.#kept.at(-1);
    if (last !== undefined && last[0] >= number) {
      // A clock that was set back adds to the latest: nothing is lost, and order stays.
      this.#kept = [...this.#kept.slice(0, -1), [last[0], last[1] + all, last[2] + bad]];
      return;
    }
    const recent = this.#kept.filter(([before]) => before > number - this.#most);
    this.#kept = [...recent, [number, all, bad]];
  }

  /** What came within so many milliseconds before a time, to the length of an interval. */
  within(ms: number, at: number): Outcomes {
    const oldest = this.#numberAt(at) - Math.ceil(ms / this.#lengthMs) + 1;
    let sum = NONE;
    for (const [number, all, bad] of this.#kept) {
      if (number >= oldest) sum = addOutcomes(sum, { all, bad });
    }
    return sum;
  }

  #numberAt(at: number): number {
    return Math.floor(at / this.#lengthMs);
  }
}
