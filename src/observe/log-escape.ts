/**
 * nginx's default escaping: `"`, `\`, controls and everything beyond ASCII become `\xXX`. Where
 * `end` is given, the character that ends the field in the template is escaped too, so that a
 * value cannot run on into the next field.
 */
export function escapeText(value: string, end = ""): string {
  const safe = TEXT_UNSAFE.test(value) ? bytesOf(value).replace(TEXT_UNSAFE_ALL, hex) : value;
  return end === "" || !safe.includes(end) ? safe : safe.replaceAll(end, hex);
}

/** A JSON string in pure ASCII, quotes included; UTF-8 that came in as latin1 is read as UTF-8. */
export function jsonString(value: string): string {
  return JSON_UNSAFE.test(value) ? asciiOnly(JSON.stringify(decoded(value))) : `"${value}"`;
}

/** Any value as JSON in pure ASCII, its strings read as by `jsonString`. */
export function jsonValue(value: unknown): string {
  return asciiOnly(
    JSON.stringify(value, (_, v: unknown) => (typeof v === "string" ? decoded(v) : v)),
  );
}

const TEXT_UNSAFE = /[^ !#-[\]-~]/;
const TEXT_UNSAFE_ALL = /[^ !#-[\]-~]/g;
const JSON_UNSAFE = /[^ !#-[\]-~]/;
// Controls and direction marks beyond ASCII can rewrite what a terminal shows of a line.
const BEYOND_ASCII = /[\u007f-\uffff]/g;
const WIDE = /[\u0100-\uffff]/;
const HIGH_LATIN = /[\u0080-\u00ff]/;

// Names from the configuration are Unicode, everything from the wire is latin1.
function bytesOf(value: string): string {
  return WIDE.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

function decoded(value: string): string {
  if (WIDE.test(value) || !HIGH_LATIN.test(value)) return value;
  const text = Buffer.from(value, "latin1").toString("utf8");
  return text.includes("\ufffd") ? value : text;
}

function asciiOnly(json: string): string {
  return json.replace(
    BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function hex(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
