import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { createNotifier, inheritedSockets, type Inherited } from "../../../src/process/systemd.ts";

const NONE: Inherited = { ok: true, sockets: [] };

describe("inherited sockets", () => {
  test.each<[what: string, env: Record<string, string>, expected: Inherited]>([
    ["without variables there are none", {}, NONE],
    ["those of another process are not ours", { LISTEN_PID: "8", LISTEN_FDS: "1" }, NONE],
    ["a number without a process is nobody's", { LISTEN_FDS: "1" }, NONE],
    ["there may be none", { LISTEN_PID: "7", LISTEN_FDS: "0", LISTEN_FDNAMES: "" }, NONE],
    [
      "they begin at descriptor 3",
      { LISTEN_PID: "7", LISTEN_FDS: "2" },
      {
        ok: true,
        sockets: [
          { fd: 3, name: "unknown" },
          { fd: 4, name: "unknown" },
        ],
      },
    ],
    [
      "they have names",
      { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "http:admin" },
      {
        ok: true,
        sockets: [
          { fd: 3, name: "http" },
          { fd: 4, name: "admin" },
        ],
      },
    ],
    [
      "each has a name, or none has",
      { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "http" },
      { ok: false, reason: "LISTEN_FDNAMES has 1 names for 2 sockets" },
    ],
    ...["", "-1", "1.5", "0x1", "1 ", "01", "1025"].map((count) => wrongCount(count)),
    [
      "a process has a number",
      { LISTEN_PID: "me", LISTEN_FDS: "1" },
      { ok: false, reason: 'LISTEN_PID is no process: "me"' },
    ],
  ])("%s", (_, env, expected) => {
    expect(inheritedSockets(env, 7)).toEqual(expected);
  });
});

function wrongCount(count: string): [string, Record<string, string>, Inherited] {
  const reason = `LISTEN_FDS is no number up to 1024: "${count}"`;
  return [`"${count}" is no count`, { LISTEN_PID: "7", LISTEN_FDS: count }, { ok: false, reason }];
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "systemd-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A `systemd-notify` that writes down how it was called, and ends with `status`. */
function fakeNotify(status: number): {
  readonly env: Record<string, string>;
  readonly calls: () => readonly string[];
} {
  const folder = temporaryFolder();
  const calls = join(folder, "calls");
  const program = join(folder, "systemd-notify");
  writeFileSync(calls, "");
  writeFileSync(
    program,
    `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${calls}\necho "no such socket" >&2\nexit ${status}\n`,
  );
  chmodSync(program, 0o755);
  return {
    env: { NOTIFY_SOCKET: "/run/notify", PATH: `${folder}:/usr/bin:/bin` },
    calls: () => readFileSync(calls, "utf8").split("\n").slice(0, -1),
  };
}

describe("the notifier", () => {
  test("tells what it is told, one after the other, in the name of the main process", async () => {
    const { env, calls } = fakeNotify(0);
    const notifier = createNotifier(env, 7);

    const told = await Promise.all([notifier.ready(), notifier.stopping()]);

    expect(told).toEqual([undefined, undefined]);
    expect(calls()).toEqual(["/run/notify --pid=7 READY=1", "/run/notify --pid=7 STOPPING=1"]);
  });

  test("runs nothing where nobody asked to be told", async () => {
    const { env, calls } = fakeNotify(0);
    const notifier = createNotifier({ ...env, NOTIFY_SOCKET: undefined }, 7);

    expect([await notifier.ready(), calls()]).toEqual([undefined, []]);
  });

  test("says in words what went wrong, and goes on", async () => {
    const failing = fakeNotify(1);
    const nowhere = temporaryFolder();

    const notifier = createNotifier(failing.env, 7);
    const refused = [await notifier.ready(), await notifier.stopping()];
    const missing = await createNotifier({ ...failing.env, PATH: nowhere }, 7).ready();

    expect(refused).toEqual(Array(2).fill("systemd-notify: no such socket"));
    expect(missing).toContain("systemd-notify ENOENT");
  });

  test.skipIf(!hasPrograms())("reaches a service manager by the real systemd-notify", async () => {
    const path = join(temporaryFolder(), "notify");
    const manager = spawn("python3", ["-c", MANAGER, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void manager.kill("SIGKILL"));
    const lines = createInterface(manager.stdout)[Symbol.asyncIterator]();
    await lines.next();

    const env = { NOTIFY_SOCKET: path, PATH: "/usr/bin:/bin" };
    const told = await createNotifier(env, process.pid).ready();

    expect([told, (await lines.next()).value]).toEqual([
      undefined,
      `READY=1 MAINPID=${process.pid}`,
    ]);
  });
});

/** Prints the lines of the first message; closing the descriptors of the second lets its sender go. */
const MANAGER = `
import array, os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
print("bound", flush=True)
while True:
    text, fds, _, _ = socket.recv_fds(manager, 4096, 4)
    for fd in fds: os.close(fd)
    if not fds: print(*sorted(text.decode().split(), reverse=True), flush=True)
`;

function hasPrograms(): boolean {
  return ["systemd-notify", "python3"].every((name) => spawnSync(name, ["--version"]).status === 0);
}
