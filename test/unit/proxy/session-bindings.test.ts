import { expect, test } from "vitest";
import { SessionBindings } from "../../../src/proxy/session-bindings.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const BLUE = { server: "blue a:1", idleMs: 1000 };

test("a session is found until it was not used for its time", () => {
  const clock = new ManualClock();
  const sessions = new SessionBindings(clock);
  sessions.learn("app", "s", BLUE);

  clock.stall(999);
  const early = sessions.find("app", "s");
  clock.stall(999);
  const afterUse = sessions.find("app", "s");
  clock.stall(1000);

  expect([early?.server, afterUse?.server]).toEqual(["blue a:1", "blue a:1"]);
  expect([sessions.find("app", "s"), sessions.size]).toEqual([undefined, 0]);
});

test("groups do not share sessions", () => {
  const sessions = new SessionBindings(new ManualClock());
  sessions.learn("app", "s", BLUE);

  expect([sessions.find("shop", "s"), sessions.find("app", "t")]).toEqual([undefined, undefined]);
});

test("when it is full, the session that was not used for longest goes", () => {
  const sessions = new SessionBindings(new ManualClock(), 2);
  sessions.learn("app", "a", BLUE);
  sessions.learn("app", "b", BLUE);
  sessions.find("app", "a");
  sessions.learn("app", "c", BLUE);

  const left = ["a", "b", "c"].filter((sid) => sessions.find("app", sid) !== undefined);

  expect([left, sessions.size]).toEqual([["a", "c"], 2]);
});

test("sessions whose time is over leave no memory behind", () => {
  const clock = new ManualClock();
  const sessions = new SessionBindings(clock);
  for (let n = 0; n < 1000; n++) sessions.learn("app", `old ${n}`, BLUE);

  clock.stall(1000);
  sessions.learn("app", "new", BLUE);

  expect(sessions.size).toBe(1);
});

test("a session that is told again belongs to its last server", () => {
  const sessions = new SessionBindings(new ManualClock());
  sessions.learn("app", "s", BLUE);
  sessions.learn("app", "s", { ...BLUE, server: "green b:1" });

  expect([sessions.find("app", "s")?.server, sessions.size]).toEqual(["green b:1", 1]);
});

test("a process that starts takes over what another one knows, with the time that is left", () => {
  const clock = new ManualClock();
  const sessions = new SessionBindings(clock);
  sessions.learn("app", "over", { ...BLUE, idleMs: 100 });
  sessions.learn("app", "old", BLUE);
  clock.stall(400);
  sessions.learn("app", "new", BLUE);
  const fresh = new SessionBindings(clock);

  const snapshot = sessions.snapshot();
  fresh.adopt(snapshot);
  clock.stall(600);

  expect(snapshot).toEqual([
    ["app old", "blue a:1", 1000, 600],
    ["app new", "blue a:1", 1000, 1000],
  ]);
  expect([fresh.find("app", "old"), fresh.find("app", "new")?.server]).toEqual([
    undefined,
    "blue a:1",
  ]);
});

test("what was learnt meanwhile is newer than what is adopted, and there is no more than room for", () => {
  const sessions = new SessionBindings(new ManualClock(), 2);
  sessions.learn("app", "s", { ...BLUE, server: "green b:1" });

  sessions.adopt([
    ["app s", "blue a:1", 1000, 1000],
    ["app t", "blue a:1", 1000, 1000],
    ["app u", "blue a:1", 1000, 1000],
  ]);

  const known = ["s", "t", "u"].map((sid) => sessions.find("app", sid)?.server);
  expect(known).toEqual(["green b:1", undefined, "blue a:1"]);
});
