import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { watchConfig } from "../../../src/config/watch-config.ts";
import { watchFolders } from "../../../src/config/watch-folders.ts";
import { CountingClock } from "../../support/counting-clock.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { openWatches } from "../../support/process-facts.ts";
import { until } from "../../support/until.ts";

const root = fs.mkdtempSync(join(tmpdir(), "understudy-watch-"));
afterAll(() => fs.rmSync(root, { recursive: true }));

/** A file in a folder of its own, which says `old`. */
function freshFile(name = "u.yaml"): string {
  const file = join(fs.mkdtempSync(join(root, "case-")), name);
  fs.writeFileSync(file, "old");
  return file;
}

/** As Kubernetes mounts a ConfigMap: the file leads through `..data` to a folder of its time. */
function mountedFile(): string {
  const file = freshFile();
  const folder = join(file, "..");
  fs.mkdirSync(join(folder, "..1"));
  fs.renameSync(file, join(folder, "..1", "u.yaml"));
  fs.symlinkSync("..1", join(folder, "..data"));
  fs.symlinkSync(join("..data", "u.yaml"), file);
  return file;
}

/** The five ways to write a file, and the file that each is done to. */
const WAYS: readonly (readonly [string, () => string, (file: string) => void])[] = [
  ["a write in place", freshFile, (file) => fs.writeFileSync(file, "new")],
  ["a file renamed over it", freshFile, renameOver],
  ["a swap of symbolic links, as in Kubernetes", mountedFile, swap],
  [
    "a write from elsewhere, as into a bind mount",
    linkedFile,
    (file) => fs.writeFileSync(`${file}.elsewhere`, "new"),
  ],
  [
    "a removal and a new file",
    freshFile,
    (file) => {
      fs.rmSync(file);
      fs.writeFileSync(file, "new");
    },
  ],
];

function renameOver(file: string): void {
  fs.writeFileSync(`${file}.tmp`, "new");
  fs.renameSync(`${file}.tmp`, file);
}

function swap(file: string): void {
  const folder = join(file, "..");
  const data = join(folder, "..data");
  const [before, next] = [fs.readlinkSync(data), fs.mkdtempSync(`${folder}/..`)];
  fs.writeFileSync(join(next, "u.yaml"), "new");
  fs.symlinkSync(basename(next), `${data}_tmp`);
  fs.renameSync(`${data}_tmp`, data);
  fs.rmSync(join(folder, before), { recursive: true });
}

/** A file with a second name, through which it changes without a sign for the first. */
function linkedFile(): string {
  const file = freshFile();
  fs.linkSync(file, `${file}.elsewhere`);
  return file;
}

/** A watch by looking alone, on a clock that stands still, and signs by hand. */
class Watched implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly files: readonly string[];
  /** What the files said whenever a change was told. */
  readonly told: string[] = [];
  sign = (): void => {};
  /** How many files are watched for signs. */
  watched = 0;
  readonly watch = watchConfig({
    clock: this.clock,
    onChange: () => this.told.push(this.files.map(textOf).join()),
    watchFiles: (files, onSign) => {
      this.watched += files.length;
      this.sign = onSign;
      return async () => void (this.watched -= files.length);
    },
  });

  constructor(...files: readonly string[]) {
    this.files = files;
    this.read();
  }

  /** As after a reading of the configuration. */
  read(): void {
    this.watch.replace(this.files.map((path) => ({ path, text: textOf(path) })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    expect([this.clock.pending, this.watched]).toEqual([0, 0]);
  }
}

function textOf(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

describe("a change is told within 200 ms where the system tells nothing", () => {
  test.each(WAYS)("%s", async (_, create, write) => {
    const file = create();
    await using watched = new Watched(file);
    await watched.clock.advance(1_000);

    write(file);
    await watched.clock.advance(200);

    expect(watched.told).toEqual(["new"]);
    await watched.clock.advance(10_000);
    expect(watched.told).toEqual(["new"]);
  });
});

describe("on the clock of the system, by its signs or without, is told", () => {
  test.each(WAYS)("%s", async (_, create, write) => {
    const file = create();
    const clock = new CountingClock(systemClock);
    const told: unknown[] = [];
    const watch = watchConfig({ clock, onChange: () => told.push(textOf(file)) });
    watch.replace([{ path: file, text: "old" }]);

    write(file);
    await until(() => told.length > 0, "a change is told");
    await watch.stop();

    expect(told).toEqual(["new"]);
    expect(clock.pending).toBe(0);
  });
});

describe("after a sign", () => {
  test("a change is told when 50 ms were quiet", async () => {
    const file = freshFile();
    await using watched = new Watched(file);
    await watched.clock.advance(1_000);

    fs.writeFileSync(file, "new");
    watched.sign();
    await watched.clock.advance(49);
    expect(watched.told).toEqual([]);
    await watched.clock.advance(1);

    expect(watched.told).toEqual(["new"]);
  });

  test("many writes are one change, told after 300 ms at the latest", async () => {
    const file = freshFile();
    await using watched = new Watched(file);
    await watched.clock.advance(1_000);

    for (let n = 1; n <= 15; n += 1) {
      fs.writeFileSync(file, `new ${n}`);
      watched.sign();
      await watched.clock.advance(20);
    }

    expect(watched.told).toEqual(["new 15"]);
  });

  test("nothing is told where the texts are the same", async () => {
    const file = freshFile();
    await using watched = new Watched(file);

    renameOver(file);
    fs.writeFileSync(file, "old");
    watched.sign();
    await watched.clock.advance(10_000);

    expect(watched.told).toEqual([]);
  });
});

describe("a file that is", () => {
  const harms: readonly (readonly [string, (file: string) => void])[] = [
    ["removed", (file) => fs.rmSync(file)],
    ["emptied", (file) => fs.writeFileSync(file, "")],
    [
      "replaced by a folder",
      (file) => {
        fs.rmSync(file);
        fs.mkdirSync(file);
      },
    ],
  ];

  test.each(harms)("%s and stays so is told once, 300 ms after the first sign", async (_, harm) => {
    const file = freshFile();
    await using watched = new Watched(file);
    await watched.clock.advance(1_000);

    harm(file);
    watched.sign();
    await watched.clock.advance(299);
    expect(watched.told).toEqual([]);
    await watched.clock.advance(10_000);

    expect(watched.told).toEqual([""]);
  });

  test.each(harms)("%s for a moment is not told before it is whole again", async (_, harm) => {
    const file = freshFile();
    await using watched = new Watched(file);
    await watched.clock.advance(1_000);

    harm(file);
    watched.sign();
    await watched.clock.advance(200);
    fs.rmSync(file, { recursive: true, force: true });
    fs.writeFileSync(file, "new");
    await watched.clock.advance(100);

    expect(watched.told).toEqual(["new"]);
  });

  test("there again later is told again", async () => {
    const file = freshFile();
    await using watched = new Watched(file);
    fs.rmSync(file);
    await watched.clock.advance(1_000);

    watched.read();
    fs.writeFileSync(file, "new");
    await watched.clock.advance(200);

    expect(watched.told).toEqual(["", "new"]);
  });
});

test("what changed between its reading and the watch is told", async () => {
  const file = freshFile();
  await using watched = new Watched(file);
  watched.watch.replace([{ path: file, text: "older" }]);

  await watched.clock.advance(200);

  expect(watched.told).toEqual(["old"]);
});

test("a page counts as the file does, and no more once it is not named", async () => {
  const [file, page] = [freshFile(), freshFile("down.html")];
  await using watched = new Watched(file, page);

  fs.writeFileSync(page, "new");
  await watched.clock.advance(1_000);
  watched.watch.replace([{ path: file, text: "old" }]);
  fs.writeFileSync(page, "newer");
  await watched.clock.advance(1_000);

  expect(watched.told).toEqual(["old,new"]);
  expect(watched.watched).toBe(1);
});

test("a pipe, which gives its text once, never changes", async () => {
  await using watched = new Watched("/dev/null");
  watched.watch.replace([{ path: "/dev/null", text: "what came through it" }]);

  await watched.clock.advance(1_000);

  expect(watched.told).toEqual([]);
});

test("nothing is told after the end, and nothing is watched again", async () => {
  const file = freshFile();
  const watched = new Watched(file);
  fs.writeFileSync(file, "new");
  watched.sign();

  await watched.watch.stop();
  watched.read();
  await watched.clock.advance(1_000);

  expect(watched.told).toEqual([]);
  await watched[Symbol.asyncDispose]();
});

test("it does not keep its process alive", () => {
  const folder = new URL("../../../src/", import.meta.url);
  const program = `
    import { systemClock } from "${new URL("clock.ts", folder).href}";
    import { watchConfig } from "${new URL("config/watch-config.ts", folder).href}";
    const watch = watchConfig({ clock: systemClock, onChange() {} });
    watch.replace([{ path: ${JSON.stringify(freshFile())}, text: "old" }]);`;

  execFileSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 15_000 });
});

describe("the system tells of", () => {
  test.each(WAYS.filter(([way]) => !way.includes("bind mount")))("%s", async (_, create, write) => {
    const file = create();
    const before = openWatches(process.pid);
    let signs = 0;
    const end = watchFolders([file], () => (signs += 1));

    // Its watch takes a moment to stand, of which it does not tell.
    await until(() => {
      write(file);
      return signs > 0;
    }, "a sign");
    expect(openWatches(process.pid)).toBeGreaterThan(before);
    await end();

    expect(openWatches(process.pid)).toBe(before);
  });

  test("a folder behind a symbolic link that leads elsewhere from now on", async () => {
    const [old, now] = [freshFile(), freshFile()];
    const link = join(fs.mkdtempSync(join(root, "case-")), "current");
    fs.symlinkSync(join(old, ".."), link);
    const before = openWatches(process.pid);
    let signs = 0;
    const end = watchFolders([join(link, "u.yaml")], () => (signs += 1));

    await until(() => {
      fs.symlinkSync(join(now, ".."), `${link}.tmp`);
      fs.renameSync(`${link}.tmp`, link);
      return signs > 0;
    }, "a sign");
    expect(openWatches(process.pid)).toBeGreaterThan(before);
    await end();

    expect(openWatches(process.pid)).toBe(before);
  });

  test("nothing that happens to other files beside it", async () => {
    const file = freshFile();
    const signs: string[] = [];
    const end = watchFolders([file], () => signs.push(textOf(file) ?? ""));

    let n = 0;
    await until(() => {
      fs.appendFileSync(`${file}.log`, "a line");
      n += 1;
      if (n > 30) fs.writeFileSync(file, "new");
      return signs.length > 0;
    }, "a sign");
    await end();

    expect(signs).toEqual(["new"]);
  });
});
