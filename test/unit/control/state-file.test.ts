import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StateFile } from "../../../src/control/state-file.ts";
import { NOTHING_SAVED, type SavedState } from "../../../src/control/state-store.ts";
import type { GatewayEvent } from "../../../src/events.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { isTrueWithin } from "../../support/waits.ts";

let folder = "";
let path = "";
let clock = new ManualClock();
let events: GatewayEvent[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-state-"));
  path = join(folder, "app.state.json");
  clock = new ManualClock();
  events = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(at = path): StateFile {
  return new StateFile(at, { clock, tell: (event) => events.push(event) });
}

function primary(name: string): (saved: SavedState) => SavedState {
  const app = { primary: { name, configured: "blue" } };
  return (saved) => ({ ...saved, groups: { ...saved.groups, app } });
}

/** What a gateway finds that starts now. */
function found(): unknown {
  return open().saved.groups["app"]?.primary?.name;
}

function told(): readonly string[] {
  return events.map(({ type }) => type);
}

describe("a state file", () => {
  test("begins with nothing, and is not made for nothing", async () => {
    const file = open();

    const kept = await file.save((saved) => saved);

    expect([kept, file.saved]).toEqual([{ ok: true }, NOTHING_SAVED]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("gives what was saved to the next that opens it", async () => {
    await open().save(primary("green"));

    expect(found()).toBe("green");
    expect(events).toEqual([]);
  });

  test("is written once for all that is saved in one go, and leaves nothing beside it", async () => {
    const file = open();

    const kept = await Promise.all(["a", "b", "c"].map((name) => file.save(primary(name))));

    expect(new Set(kept)).toEqual(new Set([{ ok: true }]));
    expect([found(), readdirSync(folder)]).toEqual(["c", ["app.state.json"]]);
  });

  test("is written again for what was saved while it was written", async () => {
    const file = open();

    const first = file.save(primary("a"));
    await Promise.resolve();
    const second = file.save(primary("b"));
    await first;
    await second;

    expect(found()).toBe("b");
  });

  test("loses what a killed gateway has left half written", async () => {
    await open().save(primary("green"));
    writeFileSync(join(folder, ".app.state.json.4711.1.tmp"), "{");
    writeFileSync(join(folder, ".other.state.json.4711.1.tmp"), "{");

    expect(found()).toBe("green");
    expect(readdirSync(folder)).toEqual([".other.state.json.4711.1.tmp", "app.state.json"]);
  });

  test("stays the file that a link leads to", async () => {
    mkdirSync(join(folder, "volume"));
    writeFileSync(join(folder, "volume", "kept.json"), JSON.stringify({ version: 1, ...NOTHING }));
    symlinkSync(join(folder, "volume", "kept.json"), path);

    await open().save(primary("green"));

    expect(readFileSync(join(folder, "volume", "kept.json"), "utf8")).toContain("green");
    expect(found()).toBe("green");
  });
});

describe("a file that cannot be used", () => {
  test.each([
    { what: "cut off", text: '{"version":1,"gro' },
    { what: "empty", text: "" },
    { what: "of a later version", text: JSON.stringify({ version: 2, ...NOTHING }) },
    { what: "without a version", text: "[]" },
    { what: "of another form", text: '{"version":1,"groups":[],"defined":{},"deleted":[]}' },
  ])("because it is $what is set aside and told", async ({ text }) => {
    writeFileSync(path, text);

    const file = open();
    await file.save(primary("green"));

    expect(told()).toEqual(["state-unreadable"]);
    expect(found()).toBe("green");
    const aside = readdirSync(folder).find((name) => name.includes("unreadable")) ?? "";
    expect(aside).toBe("app.state.json.unreadable-2026-01-01T00-00-00.000Z");
    expect(readFileSync(join(folder, aside), "utf8")).toBe(text);
  });

  test("says of which version it is", () => {
    writeFileSync(path, JSON.stringify({ version: 2, ...NOTHING }));

    open();

    expect(events[0]?.reason).toContain("it is of version 2, this gateway reads 1; it is now");
  });
});

describe("a file that cannot be written", () => {
  test("is told once, counts for this run, and is written as soon as it can be", async () => {
    const missing = join(folder, "missing");
    const file = open(join(missing, "state.json"));

    const kept = [await file.save(primary("a")), await file.save(primary("b"))];
    expect(kept.map(({ ok }) => ok)).toEqual([false, false]);
    expect(kept[0]).toMatchObject({ reason: expect.stringContaining("ENOENT") });
    expect([told(), file.saved.groups["app"]?.primary?.name]).toEqual([["state-unwritable"], "b"]);

    mkdirSync(missing);
    await clock.advance(10_000);
    expect(await isTrueWithin(5000, () => events.length === 2)).toBe(true);
    expect(told()).toEqual(["state-unwritable", "state-written"]);
    expect(existsSync(join(missing, "state.json"))).toBe(true);
    await file.close();
    expect(clock.pending).toBe(0);
  });

  test("because a second gateway writes it is left as that one wrote it", async () => {
    const [first, second] = [open(), open()];
    await first.save(primary("green"));

    const kept = await second.save(primary("grey"));

    expect(kept).toEqual({ ok: false, reason: expect.stringContaining("a second gateway") });
    expect(found()).toBe("green");
    await second.close();
  });
});

const NOTHING = NOTHING_SAVED;
