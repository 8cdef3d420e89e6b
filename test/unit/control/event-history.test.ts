import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { EventFile, eventFileOf } from "../../../src/control/event-file.ts";
import { EventHistory } from "../../../src/control/event-history.ts";
import type { GatewayEvent } from "../../../src/events.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const EVENT: GatewayEvent = { type: "group-recovered", group: "app", reason: "so it is" };

function aFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "understudy-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return eventFileOf(join(folder, "understudy.state.json"));
}

function opened(path: string, clock = new ManualClock()) {
  const troubles: string[] = [];
  const file = new EventFile(path, clock, ({ code }) => troubles.push(code));
  return { history: new EventHistory(clock, file), clock, troubles };
}

describe("what has happened", () => {
  test("is numbered, with its time, the configuration of then, and what set it off", () => {
    const history = new EventHistory(new ManualClock());

    expect(history.add(EVENT, 7)).toEqual({
      number: 1,
      time: "2026-01-01T00:00:00.000Z",
      type: "group-recovered",
      trigger: "auto",
      config: 7,
      group: "app",
      reason: "so it is",
    });
  });

  test("says what is missing for whoever comes back too late", () => {
    const history = new EventHistory(new ManualClock());
    for (let n = 0; n < 1_010; n++) history.add(EVENT, 1);

    const { events, missing } = history.behind(3);

    expect([events[0]?.number, events.length]).toEqual([11, 1_000]);
    expect(missing).toBe("events 4 to 10 are kept no more");
    expect(history.behind(1_005).events).toHaveLength(5);
    expect(history.behind(5_000).missing).toBe("the gateway was started anew after event 5000");
  });
});

describe("over a restart", () => {
  test("numbers go on, and what was is at hand", async () => {
    const path = aFile();
    const before = opened(path);
    before.history.add(EVENT, 1);
    before.history.add(EVENT, 2);
    await before.history.close();

    const { history } = opened(path);
    history.add(EVENT, 1);
    await history.close();

    expect(history.all.map(({ number, config }) => [number, config])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
    expect(history.behind(1).events).toHaveLength(2);
  });

  test("a line that a kill has cut off spoils no other", async () => {
    const path = aFile();
    const before = opened(path);
    before.history.add(EVENT, 1);
    await before.history.close();
    appendFileSync(path, '{"number":2,"ti');

    const { history } = opened(path);
    history.add(EVENT, 1);
    await history.close();

    expect((await history.since(0)).map(({ number }) => number)).toEqual([1, 2]);
  });

  test("since a time there is more than is at hand", async () => {
    const { history, clock } = opened(aFile());
    for (let n = 0; n < 1_500; n++) {
      history.add(EVENT, 1);
      clock.stall(1_000);
    }
    await history.close();

    const hour = await history.since(clock.wall() - 1_200_000);
    const minute = await history.since(clock.wall() - 60_000);

    expect([hour[0]?.number, hour.length]).toEqual([301, 1_200]);
    expect([minute[0]?.number, minute.length]).toEqual([1_441, 60]);
  });

  test("the file does not grow for ever", async () => {
    const path = aFile();
    const { history } = opened(path);
    for (let n = 0; n < 12_000; n++) {
      history.add(EVENT, 1);
      if (n % 50 === 0) await setTimeout(1);
    }
    await history.close();

    const lines = readFileSync(path, "utf8").split("\n").length;
    expect(lines).toBeLessThan(5_200);
    expect(existsSync(`${path}.1`)).toBe(true);
    const all = await history.since(0);
    expect([all.length > 5_000, all.at(-1)?.number]).toEqual([true, 12_000]);
  });
});
