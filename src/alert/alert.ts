/** Every rule, and what it tells. */
export const RULES = {
  failover: "a backup took over; it is over once the primary serves again",
  switch: "an operator or a guard changed which pool serves",
  "all-down": "no server of a group is available",
  standby: "a pool that stands by could not serve, or a cold standby does not start",
  "error-rate": "too large a part of the last requests failed at their servers",
  latency: "requests take too long",
  slo: "the error budget of a group burns too fast",
  reload: "a configuration was rejected",
  hook: "a hook failed",
  worker: "a worker process crashes again and again",
  state: "orders would not outlive a restart",
} as const;

export type Rule = keyof typeof RULES;

/** `good` is the end of something. */
export type Level = "critical" | "warning" | "info" | "good";

/** A line of a message: `Release: v2`. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** Something that a rule has found. */
export interface Signal {
  readonly rule: Rule;
  /** What it is about, so that one thing is told once: `failover app`. */
  readonly key: string;
  readonly group: string | undefined;
  /** It lasts from `raise` to `clear`; a `note` is of the moment. */
  readonly kind: "raise" | "clear" | "note";
  readonly level: Level;
  readonly title: string;
  readonly facts: readonly Fact[];
}

/** What is sent. */
export interface Message {
  /** The same for every try, so that a receiver can tell it from another one. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly rule: Rule | "test";
  readonly group: string | undefined;
  readonly state: "firing" | "resolved" | "note";
  readonly level: Level;
  readonly title: string;
  readonly facts: readonly Fact[];
}
