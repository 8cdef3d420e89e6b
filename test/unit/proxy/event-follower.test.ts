import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EventFollower } from "../../../src/proxy/event-follower.ts";

const texts = fc.string({
  unit: fc.constantFrom("\r", "\n", "\r\n", "\r\n\r\n", "a", "data: 1"),
  maxLength: 20,
});

/** A CR at the very end may be half of what ends the line. */
function endsWithEmptyLine(text: string): boolean {
  return text === "" || /(?:\r\n|\r(?!\n)|\n)(?:\r\n|\n)$/.test(`\n${text}`);
}

test("it is between two events exactly behind an empty line, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(60), { maxLength: 5 }), (text, at) => {
      const bytes = Buffer.from(text);
      const cuts = [...at.map((cut) => cut % (bytes.length + 1)), bytes.length];
      const follower = new EventFollower();
      let from = 0;
      for (const to of cuts.toSorted((a, b) => a - b)) {
        follower.follow(bytes, from, to);
        from = to;
      }
      return follower.isBetween === endsWithEmptyLine(text);
    }),
  );
});

test.each([
  ["data: 1\n\ndata: 2\n\n", 9],
  ["data: 1\r\n\r\ndata", 11],
  ["data: 1\r\rdata", 9],
  ["data: 1\n", -1],
  ["data: 1\r\r", -1],
  ["data: 1\r\n\r", -1],
])("in %j the first event ends at %d", (text, end) => {
  const bytes = Buffer.from(text);

  expect(new EventFollower().followEvent(bytes, 0, bytes.length)).toBe(end);
});
