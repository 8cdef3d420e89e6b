import { findKnown } from "./known-fields.ts";
import type { KnownFields } from "./known-fields.ts";
import { trimmed } from "./octets.ts";

/** What gathers the fields of one head. */
export interface FieldSink {
  readonly known: KnownFields;
  /** Lines that go on as they stand, each with its CRLF. */
  passed: string;
  /** Lines that go on only if who sent them is trusted. */
  claims: string;
  /** Takes the value of a known field that is read. */
  take(name: string, value: string): void;
}

/**
 * Gives the known fields of a head that fits the grammar to the sink. The lines begin at `at`.
 * Returns their number. Unknown lines in a row go over as one slice.
 */
export function scanFields(text: string, at: number, sink: FieldSink): number {
  const { known } = sink;
  const last = text.length - 2;
  let line = at;
  let runStart = at;
  let count = 0;
  while (line < last) {
    const end = text.indexOf("\r", line);
    const field = findKnown(known, text, line);
    if (field !== undefined) {
      if (field.isRead) sink.take(field.name, trimmed(text, line + field.name.length + 1, end));
      if (field.goesOn !== "always") {
        if (line > runStart) sink.passed += text.slice(runStart, line);
        if (field.goesOn === "if-trusted") sink.claims += text.slice(line, end + 2);
        runStart = end + 2;
      }
    }
    line = end + 2;
    count += 1;
  }
  if (line > runStart) sink.passed += text.slice(runStart, line);
  return count;
}
