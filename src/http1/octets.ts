/** By character code: 1 in a token (RFC 9110 5.6.2), else 0. */
export const TOKEN_MARKS: Uint8Array = tokenMarks();

/** Whether all of `text` is one token. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** The field value in text[from, to) without the white space around it (RFC 9110 5.5). */
export function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The lower-case elements of a list (RFC 9110 5.6.1), empty ones too. */
export function listElements(value: string): string[] {
  // No expression with white space around the comma: on a long run of blanks it takes seconds.
  return value
    .toLowerCase()
    .split(",")
    .map((element) => trimmed(element, 0, element.length));
}

/**
 * Whether text[at, at + name.length) is `name` in any case, where both are known to be tokens and
 * `name` consists of a-z, 0-9 and "-": among tokens no other character shares their code with bit 5 set.
 */
export function isName(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    if ((text.charCodeAt(at + i) | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether a field value or quoted text may hold it: HTAB, SP, VCHAR, obs-text. */
export function isText(code: number): boolean {
  return (code >= 0x20 && code !== 0x7f) || code === 0x09;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function tokenMarks(): Uint8Array {
  const marks = new Uint8Array(256);
  for (let code = 0; code < 256; code += 1) {
    if (isToken(String.fromCharCode(code))) marks[code] = 1;
  }
  return marks;
}
