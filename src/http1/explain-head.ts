import { isToken } from "./octets.ts";
import { badAnswer, badRequest, problem } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";

// Whether a head is refused is decided by its grammar; this only finds words for it.

/** Why `text` is no request head. */
export function explainRequestHead(text: string): HeadProblem {
  const lines = text.replace(/^(?:\r\n){1,2}/, "").split("\r\n");
  const [first = "", ...fields] = lines;
  return explainRequestLine(first) ?? badRequest(explainFields(fields));
}

/** Why `text` is no head of an answer. */
export function explainResponseHead(text: string): HeadProblem {
  const [first = "", ...fields] = text.split("\r\n");
  if (!/^HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t -~\x80-\xff]*)?$/.test(first)) {
    return badAnswer("first line of the answer is not HTTP/1.1 with a status from 100 to 599");
  }
  return badAnswer(explainFields(fields));
}

/** The last two of `lines` are what the empty line leaves. */
function explainFields(lines: readonly string[]): string {
  const wrong = lines
    .slice(0, -2)
    .map(explainField)
    .find((reason) => reason !== undefined);
  return wrong ?? "head does not end with one empty line";
}

function explainRequestLine(line: string): HeadProblem | undefined {
  const [method = "", target = "", version = "", ...more] = line.split(" ");
  const digits = /^HTTP\/([0-9]\.[0-9])$/.exec(version)?.[1];
  if (!isToken(method) || target === "" || digits === undefined || more.length > 0) {
    return badRequest("first line is not METHOD target HTTP/1.1");
  }
  if (digits !== "1.0" && digits !== "1.1") {
    return problem(505, `HTTP version ${digits} is not supported`);
  }
  return /^[!"$-~]+$/.test(target) ? undefined : badTarget();
}

export function badTarget(): HeadProblem {
  return badRequest("request target with a character that is not allowed");
}

function explainField(line: string): string | undefined {
  if (line === "") return "empty line within the head";
  if (/^[ \t]/.test(line)) return "folded field line";
  const colon = line.indexOf(":");
  if (colon === -1) return "field line without a colon";
  const name = line.slice(0, colon);
  if (name === "") return "field without a name";
  if (/[ \t]$/.test(name)) return "white space before the colon of a field";
  if (!isToken(name)) return "field name with a character that is not allowed";
  if (/^[\t -~\x80-\xff]*$/.test(line)) return undefined;
  return "control character, bare carriage return or bare line feed in a field value";
}
