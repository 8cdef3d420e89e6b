import { expect, test } from "vitest";
import { LogClock } from "../../../src/watch/log-clock.ts";

test("what is due is done in its order, at its time", () => {
  const clock = new LogClock(100);
  const done: string[] = [];
  const note = (name: string) => () => done.push(`${name} ${clock.now()}`);
  clock.after(30, note("c"));
  clock.after(10, note("a"));
  clock.after(20, note("never"))();
  clock.after(20, () => clock.after(5, note("b")));
  clock.advanceTo(140);

  expect(done).toEqual(["a 110", "b 125", "c 130"]);
  expect([clock.now(), clock.wall()]).toEqual([140, 140]);
});

test("time never goes back", () => {
  const clock = new LogClock(100);
  clock.advanceTo(50);

  expect(clock.now()).toBe(100);
});

test("of a month of silence only the first hour passes step by step", () => {
  const clock = new LogClock(0);
  let ticks = 0;
  const tick = (): void => {
    ticks += 1;
    clock.after(1_000, tick);
  };
  tick();
  clock.advanceTo(30 * 86_400_000);

  expect(ticks).toBe(3_602);
  expect(clock.now()).toBe(30 * 86_400_000);
});
