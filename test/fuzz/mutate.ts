import { SNIPPETS } from "./corpus.ts";
import type { Random } from "./random.ts";

/** `text` with up to five faults: bytes taken, changed, doubled, swapped or put in. */
export function mutate(text: string, random: Random): string {
  let mutant = text;
  for (let faults = random.below(6); faults > 0; faults -= 1) mutant = mutateOnce(mutant, random);
  return mutant;
}

/** `text` cut into pieces, down to single bytes. */
export function cut(text: string, random: Random): string[] {
  const longest = random.oneOf([1, 3, 16, 64]);
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + random.below(longest);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

function mutateOnce(text: string, random: Random): string {
  const place = random.below(text.length + 1);
  const at = random.below(2) === 0 ? place : text.indexOf("\n", place) + 1;
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random.below(6)) {
    case 0:
      return before + after.slice(1 + random.below(4));
    case 1:
      return before + String.fromCharCode(random.below(256)) + after.slice(1);
    case 2:
      return before + String.fromCharCode(random.below(256)) + after;
    case 3:
      return before + after.slice(0, random.below(40)) + after;
    case 4:
      return after + before;
    default:
      return before + random.oneOf(SNIPPETS) + after;
  }
}
