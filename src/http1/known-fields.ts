import { isName } from "./octets.ts";

/** A field that the gateway treats by itself. */
export interface KnownField {
  /** Lower case. */
  readonly name: string;
  /** Stands for all names that begin with it. */
  readonly isPrefix: boolean;
  /** Whether its value is read. */
  readonly isRead: boolean;
  /** Whether its line goes on: as it stands, only if who sent it is trusted, or never. */
  readonly goesOn: "always" | "if-trusted" | "never";
}

/** Known fields by the first letter of their name. */
export type KnownFields = readonly (readonly KnownField[])[];

const COLON = 0x3a;
const LETTERS = 32;

/** Of names in one row the first that fits is taken; one that ends with "*" is a prefix. */
export function knownFields(
  rows: readonly (readonly [names: string, isRead: boolean, goesOn: KnownField["goesOn"]])[],
): KnownFields {
  const table: KnownField[][] = Array.from({ length: LETTERS }, () => []);
  for (const [names, isRead, goesOn] of rows) {
    for (const name of names.split(" ")) {
      const isPrefix = name.endsWith("*");
      const field = { name: isPrefix ? name.slice(0, -1) : name, isPrefix, isRead, goesOn };
      table[letterOf(name, 0)]?.push(field);
    }
  }
  return table;
}

/** The known field in the checked line that begins at `line`. */
export function findKnown(known: KnownFields, text: string, line: number): KnownField | undefined {
  const candidates = known[letterOf(text, line)];
  if (candidates === undefined || candidates.length === 0) return undefined;
  for (const field of candidates) {
    const { name } = field;
    const fits = field.isPrefix || text.charCodeAt(line + name.length) === COLON;
    if (fits && isName(text, line, name)) return field;
  }
  return undefined;
}

// The low five bits of a letter are the same in both cases.
function letterOf(text: string, at: number): number {
  return text.charCodeAt(at) & (LETTERS - 1);
}
