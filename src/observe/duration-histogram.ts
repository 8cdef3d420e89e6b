/** Durations are counted in buckets that are each a fifth wider than the one before: four to an octave. */
const PER_OCTAVE = 4;
/** The first bucket ends here, in milliseconds. */
const FIRST_MS = 0.25;
/** Up to 0.25 ms * 2^20: more than four minutes; whatever takes longer is in the last one. */
export const BUCKETS = 20 * PER_OCTAVE + 1;

export function bucketOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms / FIRST_MS) * PER_OCTAVE));
}

/** The longest duration of a bucket, in milliseconds. */
export function bucketEndMs(bucket: number): number {
  return FIRST_MS * 2 ** (bucket / PER_OCTAVE);
}

/** The duration that this part (0 to 1) of all does not exceed, up to a fifth too long; undefined for none. */
export function quantileMs(counts: readonly number[], part: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let left = Math.ceil(total * part);
  if (total === 0) return undefined;
  const bucket = counts.findIndex((count) => (left -= count) <= 0);
  return bucketEndMs(bucket);
}

/** Ends of the buckets that Prometheus gets, in seconds: those that OpenTelemetry advises for HTTP. */
export const BUCKET_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
/** The last one has no end. */
export const SECONDS_BUCKETS = BUCKET_SECONDS.length + 1;

export function secondsBucketOf(ms: number): number {
  const bucket = BUCKET_SECONDS.findIndex((end) => ms <= end * 1000);
  return bucket < 0 ? BUCKET_SECONDS.length : bucket;
}
