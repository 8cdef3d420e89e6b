import { isText, TOKEN_MARKS } from "./octets.ts";

/** What the next byte of chunk extensions may be (RFC 9112 7.1.1, without its bad white space). */
export type ExtensionStep =
  | "name"
  | "more of name"
  | "value"
  | "more of value"
  | "quoted"
  | "quoted pair"
  | "behind quotes";

const CR = 0x0d;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** The step after the byte `code`; "end" with the CR of the line; undefined where it is malformed. */
export function stepExtension(
  step: ExtensionStep,
  code: number,
): ExtensionStep | "end" | undefined {
  const isInToken = TOKEN_MARKS[code] === 1;
  switch (step) {
    case "name":
      return isInToken ? "more of name" : undefined;
    case "more of name":
      if (isInToken) return step;
      return code === EQUALS ? "value" : endExtension(code);
    case "value":
      if (code === QUOTE) return "quoted";
      return isInToken ? "more of value" : undefined;
    case "more of value":
      return isInToken ? step : endExtension(code);
    case "quoted":
      if (code === QUOTE) return "behind quotes";
      if (code === BACKSLASH) return "quoted pair";
      return isText(code) ? step : undefined;
    case "quoted pair":
      return isText(code) ? "quoted" : undefined;
    case "behind quotes":
      return endExtension(code);
  }
}

/** Behind a chunk size or an extension: another extension or the end of the line. */
export function endExtension(code: number): "name" | "end" | undefined {
  if (code === SEMICOLON) return "name";
  return code === CR ? "end" : undefined;
}
