/** What a load generator did in one round, as it counted itself. */
export interface Load {
  /** Answered. */
  readonly requests: number;
  readonly seconds: number;
  /** Answered with a status that is no success, or broken off. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
