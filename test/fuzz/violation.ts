/** Says what does not hold, with both sides where they should be the same. */
export function mustHold(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one} is not ${other}`);
}
