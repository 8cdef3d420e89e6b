import { expect, test } from "vitest";
import { Deadline, DeadlineWheel } from "../../../src/proxy/deadline-wheel.ts";
import { collectGarbage } from "../../support/collect-garbage.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setUp() {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const expired: string[] = [];
  const deadline = (name: string) =>
    new Deadline(wheel, () => expired.push(`${name} at ${clock.now()}`));
  return { clock, wheel, expired, deadline };
}

test.each([1, 25, 60, 500, 3_000, 75_000, 3_600_000])(
  "a deadline of %i ms expires once, never early and at most 50 ms late",
  async (ms) => {
    const { clock, wheel, deadline } = setUp();
    let at = 0;
    const late = new Deadline(wheel, () => {
      at = clock.now();
    });
    deadline("other").arm(7);
    late.arm(ms);

    await clock.advance(ms + 100);

    expect(at).toBeGreaterThanOrEqual(ms);
    expect(at).toBeLessThanOrEqual(ms + 50);
  },
);

test("a deadline that is disarmed or armed with 0 does not expire", async () => {
  const { clock, expired, deadline } = setUp();
  const disarmed = deadline("disarmed");
  disarmed.arm(100);
  disarmed.disarm();
  const never = deadline("never");
  never.arm(100);
  never.arm(0);

  await clock.advance(1_000);

  expect(expired).toEqual([]);
});

test("arming again puts a deadline off, as often as that happens", async () => {
  const { clock, expired, deadline } = setUp();
  const idle = deadline("idle");
  for (let n = 0; n < 50; n += 1) {
    idle.arm(100);
    await clock.advance(60);
  }
  expect(expired).toEqual([]);

  await clock.advance(100);

  expect(expired).toEqual(["idle at 3050"]);
});

test("a long deadline that becomes a short one expires at the short one's time, once", async () => {
  const { clock, expired, deadline } = setUp();
  const one = deadline("one");
  one.arm(60_000);
  one.arm(200);

  await clock.advance(70_000);

  expect(expired).toEqual(["one at 225"]);
});

test("a deadline may be armed again as it expires", async () => {
  const { clock, wheel } = setUp();
  let count = 0;
  const again: Deadline = new Deadline(wheel, () => {
    count += 1;
    if (count < 3) again.arm(100);
  });
  again.arm(100);

  await clock.advance(1_000);

  expect(count).toBe(3);
});

test("while the event loop is stalled no deadline runs", async () => {
  const { clock, expired, deadline } = setUp();
  deadline("read").arm(3_000);
  await clock.advance(1_000);

  clock.stall(10_000);
  await clock.advance(1_900);
  expect(expired).toEqual([]);

  await clock.advance(200);
  expect(expired).toHaveLength(1);
});

test("timers that are always a little late do not make deadlines late", async () => {
  const { clock, expired, deadline } = setUp();
  deadline("read").arm(3_000);

  for (let n = 0; n < 79; n += 1) {
    clock.stall(14);
    await clock.advance(25);
  }

  expect(expired).toHaveLength(1);
});

test("with nothing armed there is no timer, and stop() leaves none", async () => {
  const { clock, wheel, deadline } = setUp();
  expect(clock.pending).toBe(0);
  deadline("one").arm(50);
  await clock.advance(200);
  expect(clock.pending).toBe(0);

  deadline("two").arm(5_000);
  wheel.stop();
  expect(clock.pending).toBe(0);
});

test("a deadline that has ended does not expire and lets go of its owner", async () => {
  const { clock, wheel, expired } = setUp();
  const armAndEnd = (): WeakRef<object> => {
    const owner = { name: "owner" };
    const deadline = new Deadline(wheel, () => expired.push(owner.name));
    deadline.arm(10_000);
    deadline.end();
    return new WeakRef(owner);
  };
  const owner = armAndEnd();

  await collectGarbage();
  expect(owner.deref()).toBeUndefined();

  await clock.advance(20_000);
  expect(expired).toEqual([]);
});
