/** How a piece of text looks; without colour all look the same. */
export type Look = keyof typeof CODES;

export interface Piece {
  readonly text: string;
  readonly look?: Look;
}

export type StyledLine = readonly Piece[];

const CODES = {
  blue: "44;97",
  green: "42;30",
  failed: "41;97",
  good: "32",
  bad: "31",
  warn: "33",
  strong: "1",
  faint: "2",
} as const;

/** At most `width` characters, with ANSI codes where `colour` is on. Texts must be ASCII or narrow. */
export function render(line: StyledLine, width: number, colour: boolean): string {
  let left = width;
  let out = "";
  for (const { text, look } of line) {
    const shown = text.slice(0, left);
    left -= shown.length;
    if (shown === "") break;
    out += look === undefined || !colour ? shown : `\u001b[${CODES[look]}m${shown}\u001b[0m`;
  }
  return out;
}

/** Items side by side, on as many lines as they need; each line begins with a space. */
export function flow(items: readonly StyledLine[], width: number): StyledLine[] {
  const lines: Piece[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const length = item.reduce((sum, { text }) => sum + text.length, 0);
    const fits = used + 2 + length <= width;
    if (fits) lines.at(-1)?.push({ text: "  " }, ...item);
    else lines.push([{ text: " " }, ...item]);
    used = fits ? used + 2 + length : 1 + length;
  }
  return lines;
}
