import { badTarget } from "./explain-head.ts";
import type { HeadLimits } from "./limits.ts";
import { isToken } from "./octets.ts";
import { badRequest, problem } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";

/** Longer methods are answered 501 (RFC 9112 3). */
const METHOD_BYTES = 32;

// Any beginning of METHOD target HTTP/d.d CRLF, where target is not looked at.
const LINE_PART =
  /^([^ \r]*)(?: ([^ \r]*)(?: (?:H(?:T(?:T(?:P(?:\/(?:[0-9](?:\.(?:[0-9](?:\r\n?)?)?)?)?)?)?)?)?)?)?)?$/;

// A control character, or a carriage return or a line feed without the other. What stands at
// either end may have the other beyond it.
const FORBIDDEN = /[^\t\r\n -~\x80-\xff]|[^\r]\n|\r[^\n]/;

export const FORBIDDEN_IN_HEAD =
  "control character, bare carriage return or bare line feed in the head";

/** Whether text[from, ...), seen with the character before it, has what no head may have anywhere. */
export function hasForbidden(text: string, from: number): boolean {
  return FORBIDDEN.test(text.slice(Math.max(0, from - 1)));
}

/**
 * A problem in text[start, ...), the beginning of a head without its end. What is before `from`
 * was checked; the first line is checked until it is whole.
 */
export function checkPart(
  text: string,
  start: number,
  limits: HeadLimits,
  from: number,
): HeadProblem | undefined {
  if (from <= text.indexOf("\n", start) || !text.includes("\n", start)) {
    const wrong = checkLine(text, start, limits);
    if (wrong !== undefined) return wrong;
  }
  if (text.length >= limits.headBytes) return headTooLarge(limits);
  return hasForbidden(text, Math.max(start, from)) ? badRequest(FORBIDDEN_IN_HEAD) : undefined;
}

/** A method or target that fits the grammar but not the limits. */
export function checkLengths(
  method: string,
  target: string,
  limits: HeadLimits,
): HeadProblem | undefined {
  if (method.length > METHOD_BYTES) return problem(501, "method too long");
  if (target.length <= limits.targetBytes) return undefined;
  return problem(414, `request target longer than ${limits.targetBytes} bytes`);
}

/** What is wrong with a head that is too large, or is going to be: its target, if that is it. */
export function explainSize(text: string, start: number, limits: HeadLimits): HeadProblem {
  return checkLine(text, start, limits) ?? headTooLarge(limits);
}

function headTooLarge(limits: HeadLimits): HeadProblem {
  return problem(431, `head larger than ${limits.headBytes} bytes`);
}

/** The first line, or as much of it as has come. */
function checkLine(text: string, start: number, limits: HeadLimits): HeadProblem | undefined {
  const end = text.indexOf("\n", start) + 1;
  const line = end === 0 ? text.slice(start) : text.slice(start, end);
  // The first byte of an empty line to be skipped.
  if (line === "\r" || line === "") return undefined;
  const parts = LINE_PART.exec(line);
  const method = parts?.[1] ?? "";
  const target = parts?.[2] ?? "";
  const tooLong = checkLengths(method, target, limits);
  if (parts === null || !isToken(method)) {
    return badRequest("first line is not METHOD target HTTP/1.1");
  }
  if (tooLong !== undefined) return tooLong;
  return /^[!"$-~]*$/.test(target) ? undefined : badTarget();
}
