import { ChunkedDecoder } from "../../src/http1/chunked.ts";
import { cut } from "./mutate.ts";
import type { Random } from "./random.ts";
import { readByGrammar } from "./reference-body.ts";
import { mustEqual, mustHold } from "./violation.ts";

/** Decodes `text` at once and in pieces, and what came out once more. */
export function checkBody(text: string, random: Random): void {
  const whole = decode([text]);
  mustEqual(decode(cut(text, random)), whole, "the body depends on how it is cut");
  const { body, trailers, left } = whole;
  const isDone = whole.state === "done";
  mustEqual(isDone ? { body, left } : undefined, readByGrammar(text), "read against the grammar");
  if (!isDone) return;
  const chunk = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  const again = decode([`${chunk}0\r\n${trailers}\r\nrest`]);
  mustEqual(again, { ...whole, left: 4 }, "what goes on is read in another way");
}

function decode(pieces: readonly string[]) {
  const decoder = new ChunkedDecoder();
  let body = "";
  let left = 0;
  for (const piece of pieces) {
    // The piece lies within a larger buffer, of which the rest is not to be read.
    const bytes = Buffer.from(`\r\n0${piece}0\r\n`, "latin1");
    const [start, end] = [3, 3 + piece.length];
    const at = decoder.read(bytes, start, end, (_, from, to) => {
      mustHold(start <= from && from < to && to <= end, "body bytes beyond the input");
      body += bytes.toString("latin1", from, to);
    });
    mustHold(start <= at && at <= end, "more bytes taken than there are");
    mustHold(at === end || decoder.state !== "more", "bytes left where more is wanted");
    left += end - at;
  }
  const { state, reason, trailers } = decoder;
  return { state, reason, trailers, body, left };
}
