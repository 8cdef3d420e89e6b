/** What a value of the file means, or what is wrong with it and what would be right. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad<T>(message: string): Parsed<T> {
  return { ok: false, message };
}

/** A value as a message shows it: quoted where it is text, cut where it is long. */
export function quote(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a map";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
