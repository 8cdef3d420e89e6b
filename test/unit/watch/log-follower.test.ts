import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { LogFollower } from "../../../src/watch/log-follower.ts";
import type { Place } from "../../../src/watch/log-reader.ts";

const HEAD = "a line that is long enough to tell one file from another by its head\n";

function temporaryLog(text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "log-follower-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.log");
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

async function following(
  path: string,
  places: readonly Place[] = [],
  from: "start" | "end" = "end",
) {
  const lines: string[] = [];
  const follower = new LogFollower(path, (more) => lines.push(...more));
  onTestFinished(() => follower.close());
  await follower.begin(places, from);
  return { follower, lines };
}

test("lines are read from the end on, or from the start", async () => {
  const path = temporaryLog("old\n");
  const atEnd = await following(path);
  const atStart = await following(path, [], "start");
  appendFileSync(path, "one\ntwo\r\n");
  await atEnd.follower.look();
  await atStart.follower.look();

  expect(atEnd.lines).toEqual(["one", "two"]);
  expect(atStart.lines).toEqual(["old", "one", "two"]);
});

test("a line counts once its end is there", async () => {
  const path = temporaryLog("");
  const { follower, lines } = await following(path);
  appendFileSync(path, "be");
  await follower.look();
  appendFileSync(path, "gun\nnext");
  await follower.look();

  expect(lines).toEqual(["begun"]);
  expect(follower.places.map(({ offset }) => offset)).toEqual([6]);
});

test("a character that lies across two reads stays whole", async () => {
  const path = temporaryLog("");
  const { follower, lines } = await following(path);
  const bytes = Buffer.from("ü\n");
  appendFileSync(path, bytes.subarray(0, 1));
  await follower.look();
  appendFileSync(path, bytes.subarray(1));
  await follower.look();

  expect(lines).toEqual(["ü"]);
});

test("after a rotation by rename the old file is read on until nobody writes to it, the new one from its start", async () => {
  const path = temporaryLog(HEAD);
  const { follower, lines } = await following(path);
  appendFileSync(path, "before\n");
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, "nginx has not heard of it yet\n");
  await follower.look();
  writeFileSync(path, "new file\n");
  await follower.look();
  appendFileSync(`${path}.1`, "last word\n");
  appendFileSync(path, "goes on\n");
  await follower.look();

  expect(lines.toSorted()).toEqual(
    ["before", "nginx has not heard of it yet", "new file", "last word", "goes on"].toSorted(),
  );
  for (let n = 0; n < 50; n++) await follower.look();
  expect(follower.places).toHaveLength(1);
});

test("a file that was cut by copytruncate is read from its start, however fast it grows again", async () => {
  const path = temporaryLog(HEAD);
  const { follower, lines } = await following(path);
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
  appendFileSync(path, "short\n");
  await follower.look();
  truncateSync(path);
  appendFileSync(path, `${"longer than what was there before".repeat(9)}\n`);
  await follower.look();

  expect(lines).toEqual(["short", "longer than what was there before".repeat(9)]);
});

test("a file that is not there is waited for, and read from its start", async () => {
  const path = temporaryLog();
  const { follower, lines } = await following(path);
  await follower.look();
  expect(follower.isThere).toBe(false);
  writeFileSync(path, "first\n");
  await follower.look();
  unlinkSync(path);
  await follower.look();
  writeFileSync(path, "again\n");
  await follower.look();

  expect(lines).toEqual(["first", "again"]);
});

test("a line without end is left out, and those behind it are read", async () => {
  const path = temporaryLog("");
  const { follower, lines } = await following(path);
  appendFileSync(path, "x".repeat(300_000));
  await follower.look();
  appendFileSync(path, "x\nnext\n");
  await follower.look();

  expect(lines).toEqual(["next"]);
});

test("more than one read holds is read at one look", async () => {
  const path = temporaryLog("");
  const { follower, lines } = await following(path);
  const written = Array.from({ length: 20_000 }, (_, n) => `line ${n}`);
  appendFileSync(path, `${written.join("\n")}\n`);
  await follower.look();

  expect(lines).toEqual(written);
});

test("the next one goes on at the place of the last, through a rotation meanwhile", async () => {
  const path = temporaryLog(HEAD);
  const first = await following(path);
  appendFileSync(path, "one\ntw");
  await first.follower.look();
  const { places } = first.follower;
  appendFileSync(path, "o\nthree\n");
  renameSync(path, `${path}.1`);
  writeFileSync(path, "four\n");
  const second = await following(path, places);
  await second.follower.look();

  expect(first.lines).toEqual(["one"]);
  expect(second.lines).toEqual(["two", "three", "four"]);
});

test("a place in a file that has another beginning now is no place", async () => {
  const path = temporaryLog(HEAD);
  const { follower } = await following(path, [], "start");
  await follower.look();
  const { places } = follower;
  // The same inode, as where it is used again.
  writeFileSync(path, `another ${HEAD}more\n`);
  const next = await following(path, places);
  await next.follower.look();

  expect(next.lines).toEqual([`another ${HEAD}`.trimEnd(), "more"]);
});
