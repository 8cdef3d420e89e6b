/** `, did you mean "fail_timeout"?` where one of the known words is close, else nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const closest = closestWord(word, known);
  return closest === undefined ? "" : `, did you mean "${closest}"?`;
}

function closestWord(word: string, known: readonly string[]): string | undefined {
  // A third of the letters may differ: more finds words that nobody meant.
  let best = Math.floor(Math.max(word.length, 3) / 3) + 1;
  let closest: string | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= best) continue;
    const distance = editDistance(word.toLowerCase().replaceAll("-", "_"), candidate);
    if (distance < best) [best, closest] = [distance, candidate];
  }
  return closest;
}

/** Letters to insert, remove, replace or swap with their neighbour until `a` is `b`. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
