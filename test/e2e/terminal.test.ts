import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startTestAdmin, type TestAdmin } from "../support/admin.ts";
import { MAIN } from "../support/gateway-program.ts";
import { startProgram } from "../support/program.ts";

const folder = mkdtempSync(join(tmpdir(), "understudy-terminal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shim = join(folder, "understudy");
writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
chmodSync(shim, 0o755);

/** What each order says at its end on a terminal. */
const NEXT: readonly (readonly [line: string, next: string])[] = [
  ["switch app green", "rollback app"],
  ["switch app green --dry-run", "switch app green"],
  ["rollback app", "status app"],
  ["drain app green", "ready app green"],
  ["maint app green/green1", "ready app green/green1"],
  ["ready app green", "status app"],
  ["hold app --max 30s", "resume app"],
  ["resume app", "status app"],
  ["maintenance app on", "maintenance app off"],
  ["maintenance app off", "status app"],
  ["split app blue=95 green=5", "split app --reset"],
  ["warm app green", "switch app green"],
  ["sleep app green", "status app"],
  ["drill app --for 1s", "status app"],
  ["reset app", "status app"],
  ["reload", "status"],
  ["restart", "status"],
  ["alert test", "alert"],
];

test.each(NEXT)(
  "%s tells in a terminal what may come next, in a pipe what was done alone",
  async (line, next) => {
    await using admin = await startTestAdmin();

    const seen = await inTerminal(admin, line);
    const piped = await inPipe(admin, line);

    const [done, ...more] = seen.trimEnd().split("\r\n");
    expect(more).toEqual([`next: understudy ${next}`]);
    expect(piped).toBe(`${done}\n`);
  },
);

test("an order that takes longer than a second says so in a terminal, and leaves nothing of it behind", async () => {
  await using admin = await startTestAdmin();
  admin.control.decide = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return { ok: true, lines: ["green serves app"] };
  };

  const seen = await inTerminal(admin, "switch app green");

  expect(seen).toContain("switching app to green ... 1 s");
  expect(seen.split("\u001B[K").at(-1)).toBe(
    "green serves app\r\nnext: understudy rollback app\r\n",
  );
});

test.each([
  ["status", "group app: blue serves"],
  ["events", ""],
  ["alert", "nothing goes on"],
  ["failover-status app blue", "online"],
  ["healthcheck", "ready"],
])("%s fits a terminal of 80 columns", async (line, text) => {
  await using admin = await startTestAdmin();

  const seen = await inTerminal(admin, line);

  expect(seen).toContain(text);
  expect(seen.split("\r\n").filter((one) => one.length > 80)).toEqual([]);
});

/** What somebody sees who types it. */
async function inTerminal(admin: TestAdmin, line: string): Promise<string> {
  const args = ["--quiet", "--return", "--command", `stty cols 80; ${shim} ${line}`, "/dev/null"];
  return await say("script", args, admin);
}

function inPipe(admin: TestAdmin, line: string): Promise<string> {
  return say(shim, line.split(" "), admin);
}

async function say(program: string, args: readonly string[], admin: TestAdmin): Promise<string> {
  await using started = startProgram(program, args, {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      TERM: "xterm",
      NO_COLOR: "1",
      UNDERSTUDY_ADMIN: admin.address,
    },
  });
  await started.exit();
  return started.stdout;
}
