import { expect, test } from "vitest";
import type { Outcome } from "../../../src/control/control.ts";
import { Reloader } from "../../../src/control/reloader.ts";

const DONE: Outcome = { ok: true, lines: [] };
const SECOND: Outcome = { ok: true, lines: ["of the second"] };

test("whoever asks during a reload gets the outcome of one that begins after it", async () => {
  const ends: ((outcome: Outcome) => void)[] = [];
  const reloader = new Reloader(() => new Promise((resolve) => ends.push(resolve)));

  const first = reloader.request();
  const later = [reloader.request(), reloader.request(), reloader.request()];
  ends[0]?.(DONE);
  await first;
  const begunWithin = ends.length;
  ends[1]?.(SECOND);

  expect(begunWithin).toBe(2);
  expect(await Promise.all(later)).toEqual([SECOND, SECOND, SECOND]);
  expect(ends.length).toBe(2);
});

test("a reload that breaks does not stand in the way of the next", async () => {
  let runs = 0;
  const reloader = new Reloader(() => {
    runs += 1;
    return runs === 1 ? Promise.reject(new Error("broken")) : Promise.resolve(DONE);
  });

  const broken = reloader.request();
  const meanwhile = reloader.request();

  await expect(broken).rejects.toThrow("broken");
  expect(await meanwhile).toBe(DONE);
  expect(await reloader.request()).toBe(DONE);
});
