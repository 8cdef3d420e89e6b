/** How many of each kind, by the kind's number: cheaper to count in than anything with names. */
export type Counts = readonly number[];

export function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

export function countOne(counts: number[], kind: number): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

export function addCounts(one: Counts, other: Counts, sign: 1 | -1): Counts {
  return one.map((count, kind) => count + sign * (other[kind] ?? 0));
}
