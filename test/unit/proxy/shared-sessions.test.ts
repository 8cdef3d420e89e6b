import { expect, test } from "vitest";
import { SessionBindings } from "../../../src/proxy/session-bindings.ts";
import { SharedSessions, type TellSession } from "../../../src/proxy/shared-sessions.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const BLUE = { server: "blue a:1", idleMs: 40_000 };

function setUp(tell: TellSession) {
  const clock = new ManualClock();
  const sessions = new SharedSessions({ local: new SessionBindings(clock), tell, clock });
  return { clock, sessions };
}

/** Whether a promise is settled by now. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  return await Promise.race([promise.then(() => true), Promise.resolve().then(() => false)]);
}

test("a session is known here at once, and learnt when all know it", async () => {
  const told = Promise.withResolvers<void>();
  const { clock, sessions } = setUp(() => told.promise);

  const learnt = sessions.learn("app", "s", BLUE);
  const before = [sessions.find("app", "s")?.server, await isDone(learnt)];
  told.resolve();
  await learnt;

  expect([before, clock.pending]).toEqual([["blue a:1", false], 0]);
});

test("nobody waits longer than a second for a worker that says nothing", async () => {
  const { clock, sessions } = setUp(() => new Promise(() => {}));

  const learnt = sessions.learn("app", "s", BLUE);
  await clock.advance(999);
  const before = await isDone(learnt);
  await clock.advance(1);

  expect([before, await learnt, clock.pending]).toEqual([false, undefined, 0]);
});

test("a worker that cannot be told holds up nobody", async () => {
  const { clock, sessions } = setUp(() => Promise.reject(new Error("gone")));

  await sessions.learn("app", "s", BLUE);
  clock.stall(20_000);

  expect([sessions.find("app", "s")?.server, clock.pending]).toEqual(["blue a:1", 0]);
});

test("a session in use is told again before the others forget it, and not for each use", async () => {
  const told: string[] = [];
  const { clock, sessions } = setUp(async (group, sid, { server }) => {
    told.push(`${clock.now()} ${group} ${sid} ${server}`);
  });
  await sessions.learn("app", "s", BLUE);

  for (let second = 0; second < 25; second += 1) {
    clock.stall(1_000);
    sessions.find("app", "s");
  }

  expect(told).toEqual(["0 app s blue a:1", "10000 app s blue a:1", "20000 app s blue a:1"]);
});

test("what another worker tells is known, and not told on", async () => {
  const told: string[] = [];
  const { sessions } = setUp(async (_, sid) => void told.push(sid));

  sessions.hear("app", "s", BLUE);

  expect([sessions.find("app", "s")?.server, told]).toEqual(["blue a:1", []]);
});
