import { describe, expect, test } from "vitest";
import type { Signal } from "../../../src/alert/alert.ts";
import { AlertBook, type KeptBook } from "../../../src/alert/book.ts";

const COOLDOWN_MS = 300_000;
const WALL = Date.UTC(2026, 0, 1);

const DOWN: Signal = {
  rule: "failover",
  key: "failover app",
  group: "app",
  kind: "raise",
  level: "critical",
  title: "blue -> green",
  facts: [{ label: "Reason", value: "refused" }],
};
/** The backup has failed, too. */
const ON: Signal = { ...DOWN, title: "green -> amber" };
const BACK: Signal = { ...DOWN, kind: "clear", level: "good", title: "back to blue", facts: [] };
const NOTE: Signal = { ...DOWN, rule: "hook", key: "hook page-me", kind: "note", title: "failed" };

/** A book, and what it told, as `12 firing blue -> green [3 times]` with the second in which it did. */
class Story {
  readonly told: string[] = [];
  readonly book: AlertBook;
  muted = false;
  cooldownMs = COOLDOWN_MS;
  #now = WALL;

  constructor(kept?: KeptBook) {
    this.book = new AlertBook(kept);
  }

  hear(...signals: readonly Signal[]): this {
    for (const signal of signals) this.#note(this.book.hear(signal, this.#now, this.#rules));
    return this;
  }

  /** Second by second, as the gateway looks. */
  pass(seconds: number): this {
    for (let n = 0; n < seconds; n++) {
      this.#now += 1_000;
      for (const told of this.book.due(this.#now, this.#rules)) this.#note(told);
    }
    return this;
  }

  get #rules() {
    return { cooldownMs: this.cooldownMs, isMuted: () => this.muted };
  }

  #note(told: ReturnType<AlertBook["hear"]>): void {
    if (told === undefined) return;
    const folded = told.facts.find(({ label }) => label === "Folded")?.value;
    const seconds = (told.at - WALL) / 1_000;
    const more = folded === undefined ? "" : ` [${folded}]`;
    this.told.push(`${seconds} ${told.state} ${told.title}${more}`);
  }
}

describe("what is told", () => {
  test("something once, however often it is raised, and its end", () => {
    const story = new Story()
      .hear(DOWN, DOWN)
      .pass(10)
      .hear(DOWN)
      .pass(20)
      .hear(BACK, BACK)
      .pass(900);

    expect(story.told).toEqual(["0 firing blue -> green", "30 resolved back to blue"]);
  });

  test("no end of what was never raised", () => {
    expect(new Story().hear(BACK).pass(900).told).toEqual([]);
  });

  test("thirty flaps in one message behind the first two", () => {
    const story = new Story();
    for (let n = 0; n < 30; n++) story.hear(DOWN).pass(1).hear(BACK).pass(1);
    story.pass(900);

    expect(story.told).toEqual([
      "0 firing blue -> green",
      "1 resolved back to blue",
      "300 resolved back to blue [29 times in 298 s]",
    ]);
  });

  test("that it goes on, where it came back within the cooldown and stays", () => {
    const story = new Story().hear(DOWN).pass(1).hear(BACK).pass(1).hear(DOWN).pass(900);

    expect(story.told).toEqual([
      "0 firing blue -> green",
      "1 resolved back to blue",
      "300 firing blue -> green",
    ]);
  });

  test("that it goes on as something else, behind the cooldown", () => {
    const story = new Story().hear(DOWN).pass(301).hear(DOWN, ON).pass(10).hear(ON, DOWN).pass(900);

    expect(story.told).toEqual([
      "0 firing blue -> green",
      "301 firing green -> amber",
      "601 firing blue -> green",
    ]);
  });

  test("its end at once, whatever it had become meanwhile", () => {
    const story = new Story().hear(DOWN).pass(1).hear(ON).pass(1).hear(BACK).pass(900);

    expect(story.told).toEqual(["0 firing blue -> green", "2 resolved back to blue"]);
  });

  test("what comes behind the cooldown at once", () => {
    const story = new Story().hear(DOWN).pass(1).hear(BACK).pass(300).hear(DOWN);

    expect(story.told.at(-1)).toBe("301 firing blue -> green");
  });

  test("notes once within the cooldown, the others together behind it", () => {
    const story = new Story().hear(NOTE).pass(10).hear(NOTE, NOTE).pass(900);

    expect(story.told).toEqual(["0 note failed", "300 note failed [2 times in 290 s]"]);
  });

  test("everything at once without a cooldown", () => {
    const story = new Story();
    story.cooldownMs = 0;

    story.hear(DOWN, BACK, DOWN, BACK);

    expect(story.told).toHaveLength(4);
  });

  test("different things each by itself", () => {
    const other = { ...DOWN, key: "failover shop", group: "shop" };

    expect(new Story().hear(DOWN, other).told).toHaveLength(2);
  });
});

describe("while muted", () => {
  test("nothing is told, and afterwards what still lasts", () => {
    const story = new Story();
    story.muted = true;
    story.hear(DOWN, NOTE).pass(60);
    story.muted = false;
    story.pass(60);

    expect(story.told).toEqual(["61 firing blue -> green"]);
  });

  test("what came and went is never told", () => {
    const story = new Story();
    story.muted = true;
    story.hear(DOWN, BACK).pass(60);
    story.muted = false;

    expect(story.pass(900).told).toEqual([]);
    expect(story.book.kept).toEqual({});
  });

  test("the end of what was told before waits until it is over", () => {
    const story = new Story().hear(DOWN).pass(10);
    story.muted = true;
    story.hear(BACK).pass(10);
    story.muted = false;

    expect(story.pass(1).told.at(-1)).toBe("21 resolved back to blue");
  });
});

test("what is over and told long ago is forgotten", () => {
  const story = new Story().hear(DOWN, BACK, NOTE).pass(900);

  expect(story.book.kept).toEqual({});
});

test("a book that is kept goes on where it was", () => {
  const before = new Story().hear(DOWN);
  const after = new Story(before.book.kept);

  after.hear(DOWN);
  expect(after.told).toEqual([]);
  expect(after.book.active.map(({ signal, since }) => [signal.key, since])).toEqual([
    ["failover app", WALL],
  ]);

  after.hear(BACK);
  expect(after.told).toEqual(["0 resolved back to blue"]);
});
