import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { openAccessLog } from "../../../src/observe/access-log.ts";
import type { SinkTrouble } from "../../../src/observe/line-sink.ts";
import { exchangeRecord } from "../../support/exchange-records.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "access-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function linesOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text.slice(0, -1).split("\n");
}

// More than a pipe and a socket hold.
const LINES = 10_000;

const FULL_DISK = "/dev/full";

test("every line is there after close, in order, behind what the file held", async () => {
  const file = join(temporaryFolder(), "access.log");
  writeFileSync(file, "before\n");
  const log = openAccessLog({ file, format: "$request_id" });

  const ids = Array.from({ length: 20_000 }, (_, n) => `request-${n}`);
  for (const requestId of ids) log.write(exchangeRecord({ requestId }));
  await Promise.all([log.close(), log.close()]);
  log.write(exchangeRecord({ requestId: "late" }));

  expect(linesOf(file)).toEqual(["before", ...ids]);
});

test("what is skipped, not drawn or hidden is not written, what failed is", async () => {
  const file = join(temporaryFolder(), "access.log");
  const draws = [0.4, 0.6];
  const random = (): number => draws.shift() ?? 0;
  const log = openAccessLog(
    {
      file,
      format: "$request_uri",
      skip: ["/healthz"],
      sample: 0.5,
      redact: { query: ["token"], headers: [] },
    },
    { random },
  );

  log.write(exchangeRecord({ target: "/healthz" }));
  log.write(exchangeRecord({ target: "/drawn?token=s3cret" }));
  log.write(exchangeRecord({ target: "/not-drawn" }));
  log.write(exchangeRecord({ target: "/healthz?token=s3cret", status: 503 }));
  await log.close();

  expect(linesOf(file)).toEqual(["/drawn?token=***", "/healthz?token=***"]);
});

test("after a rotation lines go to a new file of the same name", async () => {
  const file = join(temporaryFolder(), "access.log");
  const log = openAccessLog({ file, format: "$request_id" });

  log.write(exchangeRecord({ requestId: "old" }));
  log.flush();
  renameSync(file, `${file}.1`);
  log.reopen();
  log.reopen();
  log.write(exchangeRecord({ requestId: "new" }));
  await log.close();

  expect([linesOf(`${file}.1`), linesOf(file)]).toEqual([["old"], ["new"]]);
});

test("a file that cannot be opened anew leaves the old one in use and is reported", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "link");
  symlinkSync(join(folder, "a.log"), file);
  const troubles: SinkTrouble[] = [];
  const log = openAccessLog(
    { file, format: "$request_id" },
    { onTrouble: (t) => troubles.push(t) },
  );

  rmSync(file);
  symlinkSync(join(folder, "missing", "b.log"), file);
  log.reopen();
  log.write(exchangeRecord({ requestId: "kept" }));
  await log.close();

  expect(troubles).toEqual([{ file, code: "ENOENT", dropped: 0 }]);
  expect(linesOf(join(folder, "a.log"))).toEqual(["kept"]);
});

test("a full disk costs lines, never the caller; the log tells later how many", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "link");
  symlinkSync(FULL_DISK, file);
  const troubles: SinkTrouble[] = [];
  const log = openAccessLog(
    { file, format: "$request_id" },
    { onTrouble: (t) => troubles.push(t) },
  );

  const written = 6_000;
  for (let n = 0; n < written; n++) log.write(exchangeRecord({ requestId: "x".repeat(999) }));
  await expect.poll(() => troubles.at(-1)?.code).toBe("ENOSPC");
  rmSync(file);
  symlinkSync(join(folder, "access.log"), file);
  log.reopen();
  await log.close();

  const lines = linesOf(join(folder, "access.log"));
  const kept = lines.filter((line) => line.startsWith("xxx"));
  expect(lines.filter((line) => !line.startsWith("xxx"))).toEqual([
    expect.stringMatching(
      new RegExp(`^\\[2.*Z\\] access log lines dropped: ${written - kept.length} \\(ENOSPC\\)$`),
    ),
  ]);
});

test("closing a log that cannot be written ends at once", async () => {
  const troubles: SinkTrouble[] = [];
  const log = openAccessLog(
    { file: FULL_DISK, format: "json" },
    { onTrouble: (t) => troubles.push(t) },
  );

  log.write(exchangeRecord());
  await log.close();

  expect(troubles).toEqual([{ file: FULL_DISK, code: "ENOSPC", dropped: 0 }]);
});

test.each([
  [{ file: "/missing/folder/access.log", format: "json" }, /ENOENT/],
  [{ file: "stdout", format: "$nope" }, /unknown variable "\$nope"/],
])("a log that cannot be is refused at the start: %j", (config, message) => {
  expect(() => openAccessLog(config)).toThrow(message);
});

describe.each(["a pipe", "a socket"] as const)("a process that logs to %s", (kind) => {
  test.each(["await log.close()", "process.exitCode = 0"])(
    "loses no line to a slow reader: %s",
    async (end) => {
      const child = logger(kind, end);
      const exit = exitCode(child.stderr);

      // Nothing is read before everything was written.
      await once(child.stderr, "data");
      const text = await readAll(child.stdout);

      expect([await exit, text.split("\n").length - 1]).toEqual([0, LINES]);
    },
  );

  test.each(["await log.close()", "process.exit(0)"])(
    "ends as always when nobody reads any more: %s",
    async (end) => {
      const child = logger(kind, end);
      child.stdout.destroy();

      expect(await exitCode(child.stderr)).toBe(0);
    },
  );
});

function logger(kind: "a pipe" | "a socket", end: string) {
  const source = new URL("../../../src/observe/access-log.ts", import.meta.url);
  const code = `
    import { openAccessLog } from ${JSON.stringify(source.href)};
    const log = openAccessLog({ file: "stdout", format: "$status ".padEnd(100, "x") });
    for (let n = 0; n < ${LINES}; n++) log.write({ status: 200 });
    process.stderr.write("written\\n");
    ${end};`;
  const run = `{ "$0" --input-type=module -e "$1"; echo "exit $?" >&2; }`;
  const script = kind === "a pipe" ? `${run} | cat` : run;
  return spawn("sh", ["-c", script, process.execPath, code], { stdio: ["ignore", "pipe", "pipe"] });
}

async function exitCode(stderr: Readable): Promise<number> {
  return Number(/^exit (\d+)$/m.exec(await readAll(stderr))?.[1]);
}

async function readAll(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}
