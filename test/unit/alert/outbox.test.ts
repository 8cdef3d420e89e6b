import { describe, expect, test } from "vitest";
import type { Message } from "../../../src/alert/alert.ts";
import { type Delivery, Outbox } from "../../../src/alert/outbox.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const TAKEN: Delivery = { ok: true };
const BUSY: Delivery = { ok: false, reason: "busy", isFinal: false, retryAfterMs: undefined };
const LATER: Delivery = { ...BUSY, retryAfterMs: 30_000 };
const REFUSED: Delivery = { ...BUSY, reason: "refused", isFinal: true };

function message(id: string, at = 0): Message {
  const head = { rule: "failover", group: "app", state: "firing", level: "critical" } as const;
  return { ...head, id, at: Date.UTC(2026, 0, 1) + at, title: id, facts: [] };
}

/** An outbox whose channel answers as told, the last answer again and again. */
function opened(answers: readonly Delivery[], kept: readonly Message[] = []) {
  const clock = new ManualClock();
  const tries: string[] = [];
  const failed: string[] = [];
  const waits: number[] = [];
  const outbox: Outbox = new Outbox(
    {
      clock,
      deliver: ({ id }) => {
        const answer = answers[tries.length] ?? answers.at(-1) ?? TAKEN;
        tries.push(`${clock.now() / 1_000} ${id}`);
        return Promise.resolve(answer);
      },
      onChange: () => waits.push(outbox.waiting.length),
      onFailed: (reason) => failed.push(reason),
    },
    kept,
  );
  return { outbox, clock, tries, failed, waits };
}

describe("messages to a channel", () => {
  test("go out at once, then at most one a second, in their order", async () => {
    const { outbox, clock, tries } = opened([TAKEN]);

    for (const id of ["a", "b", "c"]) outbox.push(message(id));
    await clock.advance(10_000);

    expect(tries).toEqual(["0 a", "1 b", "2 c"]);
    expect(outbox.counts).toEqual({ sent: 3, failed: 0, waiting: 0, trouble: undefined });
  });

  test("are tried again with growing pauses until they are taken, and once then", async () => {
    const { outbox, clock, tries } = opened([BUSY, BUSY, BUSY, TAKEN]);

    outbox.push(message("a"));
    outbox.push(message("b"));
    await clock.advance(60_000);

    expect(tries).toEqual(["0 a", "1 a", "3 a", "7 a", "8 b"]);
  });

  test("wait as long as their receiver asks", async () => {
    const { outbox, clock, tries } = opened([LATER, TAKEN]);

    outbox.push(message("a"));
    await clock.advance(29_000);
    const { waiting, trouble } = outbox.counts;
    await clock.advance(2_000);

    expect([waiting, trouble]).toEqual([1, "busy"]);
    expect(tries).toEqual(["0 a", "30 a"]);
  });

  test("are given up where they would be refused again, or are older than a day", async () => {
    const old = opened([BUSY], [message("old", -90_000_000)]);
    old.outbox.start();
    await old.clock.advance(2_000);
    const { outbox, clock, tries, failed } = opened([REFUSED, TAKEN]);
    outbox.push(message("a"));
    outbox.push(message("b"));
    await clock.advance(2_000);

    expect([old.tries, old.failed]).toEqual([["0 old"], ["busy"]]);
    expect([tries, failed]).toEqual([["0 a", "1 b"], ["refused"]]);
    expect(outbox.counts).toMatchObject({ sent: 1, failed: 1 });
  });

  test("are bounded: the oldest that is not under way gives way", async () => {
    const { outbox, clock, failed } = opened([BUSY]);

    for (let n = 0; n < 102; n++) outbox.push(message(`m${n}`));
    await clock.advance(0);

    const ids = outbox.waiting.map(({ id }) => id);
    expect([ids.length, ids[0], ids[1], ids.at(-1)]).toEqual([100, "m0", "m3", "m101"]);
    expect(failed).toHaveLength(2);
  });

  test("that a gateway before this one left go out first", async () => {
    const { outbox, clock, tries, waits } = opened([TAKEN], [message("left")]);

    outbox.start();
    outbox.push(message("new"));
    await clock.advance(5_000);

    expect(tries).toEqual(["0 left", "1 new"]);
    expect(waits).toEqual([2, 1, 0]);
  });

  test("stay where it stops in the middle of a try that comes to nothing", async () => {
    const { outbox, clock, tries } = opened([BUSY]);

    outbox.push(message("a"));
    outbox.stop();
    await clock.advance(60_000);

    expect(tries).toEqual(["0 a"]);
    expect(outbox.waiting.map(({ id }) => id)).toEqual(["a"]);
    expect(clock.pending).toBe(0);
  });
});
