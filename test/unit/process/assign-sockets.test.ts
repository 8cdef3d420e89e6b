import { expect, test } from "vitest";
import * as fc from "fast-check";
import { assignSockets } from "../../../src/process/assign-sockets.ts";

test("each worker accepts from the socket of its slot", () => {
  expect(plain(assignSockets(3, [0, 1, 2]))).toEqual({ 0: [0], 1: [1], 2: [2] });
});

test("the socket of a worker that is gone goes to another, until it is back", () => {
  expect(plain(assignSockets(2, [1]))).toEqual({ 1: [0, 1] });
  expect(plain(assignSockets(3, [0, 1]))).toEqual({ 0: [0, 2], 1: [1] });
});

test("a socket that there is only one of is shared", () => {
  expect(plain(assignSockets(1, [0, 1, 2]))).toEqual({ 0: [0], 1: [0], 2: [0] });
});

test("every socket has a worker and every worker a socket, whoever serves", () => {
  const slots = fc.uniqueArray(fc.nat(8), { minLength: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), slots, (sockets, serving) => {
      const assigned = assignSockets(sockets, serving);

      const taken = new Set(Array.from(assigned.values()).flat());
      expect(taken.size).toBe(sockets);
      expect(serving.every((slot) => (assigned.get(slot)?.length ?? 0) > 0)).toBe(true);
    }),
  );
});

test("nobody is given a socket while nobody serves", () => {
  expect(assignSockets(2, []).size).toBe(0);
});

function plain(assigned: ReadonlyMap<number, readonly number[]>) {
  return Object.fromEntries(assigned);
}
