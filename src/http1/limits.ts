/** How large a head may be; whatever is over is refused. */
export interface HeadLimits {
  /** Bytes of the whole head, its final empty line included. */
  readonly headBytes: number;
  /** Bytes of the request target. */
  readonly targetBytes: number;
  /** Number of field lines. */
  readonly fieldCount: number;
}
