import type { Clock } from "../clock.ts";
import { isoUtc } from "../observe/log-time.ts";
import type { Outcome } from "./control.ts";
import { refused } from "./outcomes.ts";

/** Who changes a group just now. */
interface Holder {
  readonly by: string;
  /** In words: `switch to green`. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** One change at a time for each group: whoever comes second is told who is first. */
export class OrderLock {
  readonly #clock: Clock;
  readonly #holders = new Map<string, Holder>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The outcome of `work`, or a refusal where the group is being changed. */
  async run(
    group: string,
    { by, what }: Pick<Holder, "by" | "what">,
    work: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const holder = this.#holders.get(group);
    if (holder !== undefined) return busy(group, holder);
    this.#holders.set(group, { by, what, since: this.#clock.wall() });
    try {
      return await work();
    } finally {
      this.#holders.delete(group);
    }
  }
}

function busy(group: string, { by, what, since }: Holder): Outcome {
  const time = isoUtc(since);
  const reason = `group ${group} is being changed since ${time} by ${by}: ${what}; one change at a time`;
  return refused(reason, { locked_by: by, locked_since: time, locked_for: what });
}
