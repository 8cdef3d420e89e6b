/** The value in the middle; of an even number the mean of the two there. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const above = sorted[Math.floor(middle)] ?? Number.NaN;
  if (sorted.length % 2 === 1) return above;
  return ((sorted[middle - 1] ?? Number.NaN) + above) / 2;
}

/** From the least to the greatest, as a share of the median (0.1 = 10 %). */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** Between which two values the middle half lies; between neighbours a quartile is interpolated. */
export function middleHalf(values: readonly number[]): readonly [from: number, to: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (ratio: number) => {
    const place = ratio * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? Number.NaN;
    const above = sorted[Math.ceil(place)] ?? Number.NaN;
    return below + (above - below) * (place - Math.floor(place));
  };
  return [at(0.25), at(0.75)];
}
