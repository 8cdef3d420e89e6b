import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameFollower } from "../../../src/proxy/frame-follower.ts";
import { frame } from "../../support/frames.ts";

const lengths = fc.oneof(
  fc.nat(200),
  fc.constantFrom(0, 125, 126, 127, 65_535, 65_536),
  fc.nat(70_000),
);
const frames = fc.array(
  fc.record({ opcode: fc.constantFrom(0, 1, 2, 9, 10), length: lengths, masked: fc.boolean() }),
  { minLength: 1, maxLength: 5 },
);
const cuts = fc.array(fc.nat(200_000), { maxLength: 12 });

/** The bytes in pieces that end at the cuts. */
function pieces(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
  const ends = [...at.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end));
}

describe("wherever the bytes are cut,", () => {
  test("it is between two frames exactly where one ends", () => {
    fc.assert(
      fc.property(frames, cuts, (specs, at) => {
        const sent = specs.map((spec) => frame(spec));
        const ends = new Set<number>([0]);
        let end = 0;
        for (const { length } of sent) ends.add((end += length));
        const follower = new FrameFollower();
        let passed = 0;
        return pieces(Buffer.concat(sent), at).every((piece) => {
          follower.follow(piece, 0, piece.length);
          passed += piece.length;
          return follower.isBetween === ends.has(passed);
        });
      }),
    );
  });

  test("it finds the end of the frame that is under way and no other", () => {
    fc.assert(
      fc.property(frames, fc.nat(), (specs, cut) => {
        const first = frame(specs[0] ?? {});
        const bytes = Buffer.concat([first, ...specs.slice(1).map((spec) => frame(spec))]);
        const at = cut % first.length;
        const follower = new FrameFollower();
        follower.follow(bytes, 0, at);
        return follower.followFrame(bytes, at, bytes.length) === first.length;
      }),
    );
  });
});

test("an end that has not come yet is not found", () => {
  const follower = new FrameFollower();
  const bytes = frame({ length: 300 });

  expect(follower.followFrame(bytes, 0, bytes.length - 1)).toBe(-1);
  expect(follower.followFrame(bytes, bytes.length - 1, bytes.length)).toBe(bytes.length);
});

test.each([
  ["none yet", [], true, false],
  ["a fragment of a message", frame({ opcode: 1, fin: false, length: 5 }), true, false],
  ["half a header", frame({ length: 300 }).subarray(0, 3), false, false],
  ["a header and nothing else", frame({ length: 1 }).subarray(0, 2), false, false],
  [
    "a frame of more than 4 GB that has begun",
    [0x82, 127, 0, 0, 0, 2, 0, 0, 0, 0, 1],
    false,
    false,
  ],
  ["a close frame that has begun", [0x88, 2, 3], false, true],
  ["a close frame", [0x88, 2, 3, 232], true, true],
])("after %s", (_, bytes, isBetween, hasClosed) => {
  const follower = new FrameFollower();
  follower.follow(Buffer.from(bytes), 0, bytes.length);

  expect([follower.isBetween, follower.hasClosed]).toEqual([isBetween, hasClosed]);
});
