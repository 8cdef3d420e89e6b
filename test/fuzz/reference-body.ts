const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const TEXT = "[\\t -~\\x80-\\xff]";
const QUOTED = `"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\${TEXT})*"`;
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,16})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*\r\n`);
const TRAILERS = new RegExp(`^(?:${TOKEN}:${TEXT}*\r\n)*\r\n`);

/**
 * The body of `text` and the number of bytes behind it, by the grammar of RFC 9112 7.1 read as a
 * whole; undefined where it is not one whole chunked body.
 */
export function readByGrammar(text: string): { body: string; left: number } | undefined {
  let rest = text;
  let body = "";
  for (;;) {
    const [line, digits = ""] = SIZE_LINE.exec(rest) ?? [];
    if (line === undefined) return undefined;
    rest = rest.slice(line.length);
    const size = Number.parseInt(digits, 16);
    if (size === 0) break;
    if (rest.slice(size, size + 2) !== "\r\n") return undefined;
    body += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
  const trailers = TRAILERS.exec(rest)?.[0];
  return trailers === undefined ? undefined : { body, left: rest.length - trailers.length };
}
