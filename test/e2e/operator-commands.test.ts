import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ExchangeStories } from "../../src/process/exchange-story.ts";
import { exchangeRecord, REFUSED_THEN_ANSWERED } from "../support/exchange-records.ts";
import { startTestAdmin, type TestAdmin } from "../support/admin.ts";
import { aGroup, aPool } from "../support/failover-groups.ts";
import { MAIN } from "../support/gateway-program.ts";
import { type Program, startProgram } from "../support/program.ts";
import { isTrueWithin } from "../support/waits.ts";

const WARM_UP = "warm-up";

const folder = mkdtempSync(join(tmpdir(), "understudy-operator-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("status", () => {
  test("tells which release serves and why, and how every server is", async () => {
    await using admin = await startTestAdmin({
      groups: [aGroup([aPool("blue", {}), aPool("green", {}, {})])],
    });
    admin.control.releases.set("green", "v2");
    admin.control.loads.set("green green1", { inFlight: 12, tunnels: 3 });
    admin.control.strike(0);

    const { exit, stdout, stderr } = await understudy(["status"], { admin });

    expect([exit, stderr]).toEqual([0, ""]);
    expect(stdout.replaceAll(/\d{4}-\S+Z/g, "TIME").replaceAll(/\b\d+s\b/g, "0s")).toBe(
      [
        "understudy 1.2.3, running for 0s",
        "configuration  3 (a1b2c3d4e5f6) since TIME",
        "listens on     127.0.0.1:8080",
        "connections    3",
        "",
        "group app: green (release v2) serves: the primary blue has no server available",
        "  blue   primary",
        "    blue1   down 0s  0 in flight, 1 strike",
        "      refused the connection (1 of 1 strikes in 5 s)",
        "  green  backup   SERVES  release v2",
        "    green1  up 0s    12 in flight, 3 tunnels",
        "    green2  up 0s    0 in flight",
        "",
      ].join("\n"),
    );
  });

  test("--json prints the same as data", async () => {
    await using admin = await startTestAdmin();

    const { exit, stdout } = await understudy(["status", "--json"], { admin });

    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: "1.2.3",
      config: { number: 3 },
      groups: [{ name: "app", active: "blue", pools: [{ servers: [{ health: "up" }] }, {}] }],
    });
  });

  test("of one group, or that there is none of this name", async () => {
    await using admin = await startTestAdmin();

    const one = await understudy(["status", "app"], { admin });
    const none = await understudy(["status", "ap"], { admin });

    expect(one.stdout).toMatch(/^group app: blue serves: it is the primary\n {2}blue/);
    expect(none).toEqual({
      exit: 2,
      stdout: "",
      stderr: 'understudy: no group "ap", did you mean "app"?\n',
    });
  });
});

describe("status --watch", () => {
  test("goes on until it is interrupted, in a pipe one status after the other", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["status", "app", "--watch"], { admin });
    await program.says(/group app: blue serves/);

    admin.control.strike(0);
    await program.says(/group app: green serves/);
    program.signal("SIGINT");

    expect(await program.exit()).toEqual({ code: 0, signal: null });
    expect(program.stderr).toBe("");
  });

  test("ends when nobody reads it any more, and where the gateway ends", async () => {
    await using admin = await startTestAdmin();
    await using unread = start(["status", "--watch"], { admin });
    await using program = start(["status", "--watch"], { admin });
    await unread.says(/group app/);
    await program.says(/group app/);

    unread.closeStdout();
    expect(await unread.exit()).toEqual({ code: 0, signal: null });
    await admin.stop();
    expect(await program.exit()).toEqual({ code: 1, signal: null });
    expect(program.stderr).toMatch(/^understudy: no gateway answers at /);
  });
});

describe("orders", () => {
  test("switch waits until it is done and says what changed", async () => {
    await using admin = await startTestAdmin();
    const lines = ["app: green serves, blue drains for 5 m"];
    admin.control.decide = () => ({ ok: true, lines });

    const done = await understudy(["switch", "app", "green"], { admin });

    expect(done).toEqual({ exit: 0, stdout: `${lines[0]}\n`, stderr: "" });
    expect(admin.control.registry.get("app").active).toBe("green");
  });

  test.each([
    ["failed", 1],
    ["unknown", 2],
    ["refused", 3],
  ] as const)("reload that %s tells every problem and exits with %i", async (kind, exit) => {
    await using admin = await startTestAdmin();
    const lines = ["understudy.yaml:8:9  groups.app: unknown key", "understudy.yaml:9:1  x: bad"];
    admin.control.decide = () => ({ ok: false, kind, lines });

    const told = await understudy(["reload"], { admin });
    const asData = await understudy(["reload", "--json"], { admin });

    expect(told).toEqual({ exit, stdout: "", stderr: `${lines.join("\n")}\n` });
    expect(asData).toEqual({
      exit,
      stdout: `${JSON.stringify({ ok: false, kind, lines })}\n`,
      stderr: "",
    });
  });

  test("restart asks for new workers", async () => {
    await using admin = await startTestAdmin();

    expect((await understudy(["restart"], { admin })).exit).toBe(0);
    expect(admin.control.ordered).toEqual(["restart"]);
  });

  test.each([
    [
      ["switch", "app", "green", "--force", "--if-active", "blue", "--no-wait"],
      "switch",
      { to: "green", force: true, dryRun: false, ifActive: "blue", wait: false },
    ],
    [["switch", "app", "green", "--dry-run"], "switch", { to: "green", dryRun: true, wait: true }],
    [
      ["switch", "app", "green", "--guard", "60s", "--max-errors", "1%", "--max-p99", "2x"],
      "switch",
      { guard: { forMs: 60_000, maxErrorRatio: 0.01, maxP99Ratio: 2 } },
    ],
    [["rollback", "app", "--force"], "rollback", { force: true, wait: true }],
    [["drain", "app", "blue", "--wait"], "admin", { pool: "blue", admin: "drain", wait: true }],
    [
      ["maint", "app", "blue/blue1", "--force"],
      "admin",
      { pool: "blue", server: "blue1", admin: "maint", force: true },
    ],
    [["ready", "app", "blue"], "admin", { pool: "blue", admin: "ready", wait: false }],
    [["hold", "app", "--max", "30s"], "hold", { maxMs: 30_000 }],
    [["resume", "app"], "resume", {}],
    [["maintenance", "app", "on"], "maintenance", { on: true }],
    [["split", "app", "blue=95", "green=5"], "split", { split: { blue: 95, green: 5 } }],
    [["split", "app", "--reset"], "split", {}],
    [["warm", "app", "green"], "standby", { pool: "green", action: "start" }],
    [["sleep", "app", "green", "--force"], "standby", { action: "stop", force: true }],
    [["drill", "app", "--for", "30s"], "drill", { forMs: 30_000 }],
    [["reset", "app"], "reset", {}],
  ])("%j is given as it was meant", async (args, verb, order) => {
    await using admin = await startTestAdmin();

    const { exit, stdout, stderr } = await understudy(args, { admin });

    expect([exit, stdout, stderr]).toEqual([0, "done\n", ""]);
    const [, given, group, json = ""] =
      /^(\S+) (\S+) (.*)$/.exec(`${admin.control.ordered[0]}`) ?? [];
    expect([given, group]).toEqual([verb, "app"]);
    expect(JSON.parse(json)).toMatchObject({
      ...order,
      by: expect.stringMatching(/^cli \S+@\S+$/),
    });
  });

  test.each([
    [["split", "app"], "give weights, as in blue=95 green=5, or --reset"],
    [["split", "app", "blue"], '"blue" is no weight: write blue=95'],
    [
      ["events", "--since", "yesterday"],
      "--since takes a duration as 1h, --since-id the number of an event",
    ],
    [["maintenance", "app", "maybe"], 'maintenance is on or off, not "maybe"'],
    [
      ["switch", "app", "green", "--max-p99", "2x"],
      "--max-errors and --max-p99 need --guard, as in --guard 60s",
    ],
  ])("%j is wrong usage", async (args, problem) => {
    const { exit, stdout, stderr } = await understudy(args);

    const end = " (understudy --help tells all commands)";
    expect([exit, stdout, stderr]).toEqual([2, "", `understudy: ${problem}${end}\n`]);
  });

  test("failover-status is 0 only where the pool is online, for jobs that run on one side", async () => {
    await using admin = await startTestAdmin();

    const asked = ["blue", "green", "grey"].map((pool) =>
      understudy(["failover-status", "app", pool], { admin }),
    );

    expect(await Promise.all(asked)).toEqual([
      { exit: 0, stdout: "online\n", stderr: "" },
      { exit: 1, stdout: "offline\n", stderr: "" },
      { exit: 1, stdout: "none\n", stderr: "" },
    ]);
  });

  test("switch to a pool that is not there", async () => {
    await using admin = await startTestAdmin();

    const told = await understudy(["switch", "app", "gren"], { admin });

    expect(told).toEqual({
      exit: 2,
      stdout: "",
      stderr: 'group "app" has no pool "gren", did you mean "green"?\n',
    });
  });
});

describe("explain", () => {
  test("tells every attempt of a request that was retried, or what is kept", async () => {
    await using admin = await startTestAdmin();
    const stories = new ExchangeStories();
    stories.note(exchangeRecord({ attempts: REFUSED_THEN_ANSWERED }));
    admin.control.told = stories.take();

    const known = await understudy(["explain", "b7f1"], { admin });
    const unknown = await understudy(["explain", "gone"], { admin });

    expect([known.exit, known.stderr]).toEqual([0, ""]);
    expect(known.stdout).toMatch(
      /^GET \/version\?full=1 at .*\n1\. blue .*refused in phase connect/,
    );
    expect([unknown.exit, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(
      /^understudy: no request "gone" is known: kept are those .* \(the last 1, since \S+\)\n$/,
    );
  });
});

describe("events", () => {
  test("prints a line for each, until the gateway ends", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["events", "-f"], { admin });
    await follows(admin, program);

    admin.control.strike(0);
    await program.says(/failover/);
    await admin.stop();

    expect(await program.exit()).toEqual({ code: 1, signal: null });
    expect(linesOf(program).map((line) => line.replace(/^\d{4}-\S+Z/, "TIME"))).toEqual([
      "TIME  app  server-down  blue blue1: refused the connection (1 of 1 strikes in 5 s)",
      "TIME  app  failover  blue -> green: no server of blue serves: blue1 refused the connection (1 of 1 strikes in 5 s)",
    ]);
    expect(program.stderr).toMatch(/^understudy: the gateway at \S+ has ended\n$/);
  });

  test("prints what has happened lately, and ends", async () => {
    await using admin = await startTestAdmin();
    admin.control.strike(0);
    admin.control.tell({ type: "all-down", group: "other", reason: "so it is" });

    const all = await understudy(["events"], { admin });
    const some = await understudy(["events", "--group", "app", "--since-id", "1", "--json"], {
      admin,
    });
    const wrong = await understudy(["events", "--since-id", "x"]);

    expect(all.stdout.match(/(server-down|failover|all-down)/g)).toEqual([
      "server-down",
      "failover",
      "all-down",
    ]);
    expect(JSON.parse(some.stdout)).toMatchObject({ number: 2, type: "failover" });
    expect([all.exit, some.exit, wrong.exit]).toEqual([0, 0, 2]);
  });

  test("--json prints JSON lines", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["events", "--follow", "--json"], { admin });
    await follows(admin, program);

    admin.control.strike(0);
    await program.says(/failover/);

    expect(linesOf(program).map((line) => JSON.parse(line))).toMatchObject([
      { type: "server-down", server: "blue1" },
      { type: "failover", from: "blue", to: "green" },
    ]);
  });

  test("ends when nobody reads it any more", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["events", "-f"], { admin });
    await follows(admin, program);

    program.closeStdout();
    const ends = isTrueWithin(10_000, () => {
      admin.control.tell({ type: "all-down", group: "app", reason: "still" });
      return program.isOver;
    });

    expect(await ends).toBe(true);
    expect(await program.exit()).toEqual({ code: 0, signal: null });
    expect(program.stderr).toBe("");
  });
});

describe("healthcheck", () => {
  test("exits with 0 while the gateway is ready, with 1 and the reason while not", async () => {
    await using admin = await startTestAdmin();

    const ready = await understudy(["healthcheck"], { admin });
    admin.control.isStopping = true;
    const stopping = await understudy(["healthcheck"], { admin });
    const asData = await understudy(["healthcheck", "--json"], { admin });

    expect([ready.exit, ready.stdout]).toEqual([0, "ready\n"]);
    expect([stopping.exit, stopping.stdout]).toEqual([
      1,
      "[-] running: the gateway is stopping\nnot ready\n",
    ]);
    expect([asData.exit, JSON.parse(asData.stdout)]).toEqual([
      1,
      { ready: false, reasons: ["running: the gateway is stopping"] },
    ]);
  });

  test("exits with 1 where no gateway answers", async () => {
    const { exit, stderr } = await understudy(["healthcheck", "--admin", "unix:/none/a.sock"]);

    expect([exit, stderr]).toEqual([
      1,
      "understudy: no gateway answers at unix:/none/a.sock: is it running, and does its configuration have `admin:`?\n",
    ]);
  });
});

describe("the gateway is found", () => {
  test("by --admin before UNDERSTUDY_ADMIN, and by that before the file", async () => {
    await using admin = await startTestAdmin();
    const nowhere = { UNDERSTUDY_ADMIN: "unix:/none/a.sock" };
    const file = fileOf("by-order.yaml", "admin: { address: 'unix:/none/b.sock' }\n");

    const first = await understudy(["status", "-c", file], { admin, env: nowhere });
    const second = await understudy(["status", "-c", file], { env: nowhere });
    const third = await understudy(["status", "-c", file]);

    expect([first.exit, second.exit, third.exit]).toEqual([0, 1, 1]);
    expect([second.stderr, third.stderr]).toEqual([
      expect.stringContaining("/none/a.sock"),
      expect.stringContaining("/none/b.sock"),
    ]);
  });

  test("by understudy.yaml where it stands, whatever is wrong with the rest of it", async () => {
    await using admin = await startTestAdmin();
    const cwd = mkdtempSync(join(folder, "here-"));
    const text = `admin: { address: "127.0.0.1:\${PORT}" }\nlisten: nowhere\ngroups: {a: b: c}\n`;
    writeFileSync(join(cwd, "understudy.yaml"), text);

    const { exit } = await understudy(["reload"], { cwd, env: { PORT: `${admin.port}` } });

    expect([exit, admin.control.ordered]).toEqual([0, ["reload"]]);
  });

  test.each([
    [["status"], "which gateway? give --admin ADDRESS or --config FILE, or set UNDERSTUDY_ADMIN"],
    [["status", "-a", "127.0.0.1"], '--admin: "127.0.0.1" has no port'],
    [["status", "-c", "none.yaml"], /^none\.yaml: cannot be read: ENOENT/],
    [
      ["status", "-c", fileOf("no-door.yaml", "listen: 127.0.0.1:80\n")],
      /^\S+no-door\.yaml has no `admin: { address: 127\.0\.0\.1:9900 }`$/,
    ],
    [
      ["status", "-c", fileOf("bad-door.yaml", "admin: { address: ':9900' }\n")],
      /^\S+bad-door\.yaml: admin\.address: ":9900": the host is missing$/,
    ],
  ])("else %j is wrong usage", async (args, problem) => {
    const { exit, stdout, stderr } = await understudy(args);

    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr.replace(/^understudy: /, "").trimEnd()).toEqual(
      typeof problem === "string" ? problem : expect.stringMatching(problem),
    );
  });

  test("switch without a pool is wrong usage", async () => {
    const { exit, stderr } = await understudy(["switch", "app"]);

    expect([exit, stderr]).toEqual([
      2,
      "understudy: missing required argument 'pool' (understudy --help tells all commands)\n",
    ]);
  });
});

test("events --since asks for all that are kept since then", async () => {
  await using admin = await startTestAdmin();
  admin.control.strike(0);

  const hour = await understudy(["events", "--since", "1h"], { admin });

  expect([hour.exit, hour.stdout.split("\n").length]).toEqual([0, 3]);
});

describe("alert", () => {
  const alerts: TestAdmin["control"]["alerts"] = {
    active: [
      {
        signal: {
          rule: "failover",
          key: "failover app",
          group: "app",
          kind: "raise",
          level: "critical",
          title: "Failover detected: blue -> green",
          facts: [{ label: "Reason", value: "refused" }],
        },
        since: Date.UTC(2026, 0, 1),
      },
    ],
    channels: [
      { name: "slack hooks.slack.com", sent: 3, failed: 0, waiting: 1, trouble: "answered 503" },
    ],
    test: () => Promise.resolve([]),
  };

  test("tells what goes on, and how messages get through", async () => {
    await using admin = await startTestAdmin();
    admin.control.alerts = alerts;

    const { exit, stdout } = await understudy(["alert"], { admin });

    expect([exit, stdout.trimEnd().split("\n")]).toEqual([
      0,
      [
        "critical: Failover detected: blue -> green, since 2026-01-01T00:00:00.000Z",
        "  Reason: refused",
        "slack hooks.slack.com: 3 sent, 1 waiting, 0 given up; answered 503",
      ],
    ]);
  });

  test("test sends a message, and fails where it does not get through", async () => {
    await using admin = await startTestAdmin();

    const well = await understudy(["alert", "test"], { admin });
    admin.control.decide = () => ({ ok: false, kind: "refused", lines: [] });
    const nowhere = await understudy(["alert", "test"], { admin });
    const wrong = await understudy(["alert", "tst"], { admin });

    expect([well.exit, well.stdout]).toEqual([0, "slack hooks.slack.com: taken\n"]);
    expect(nowhere).toMatchObject({
      exit: 3,
      stderr: "no channel is configured: write `alerts.channels`, or set SLACK_WEBHOOK_URL\n",
    });
    expect(wrong).toMatchObject({ exit: 2, stderr: expect.stringContaining('not "tst"') });
  });
});

describe("completion", () => {
  test.each([
    [["sw"], ["switch"]],
    [["switch", ""], ["app"]],
    [
      ["switch", "app", ""],
      ["blue", "green"],
    ],
    [["drain", "app", "g"], ["green"]],
    [
      ["maintenance", "app", ""],
      ["on", "off"],
    ],
    [["switch", "--gu"], ["--guard"]],
  ])("offers what may come behind %j", async (words, offered) => {
    await using admin = await startTestAdmin();
    const around = { env: { UNDERSTUDY_ADMIN: admin.address } };

    const { exit, stdout } = await understudy(["complete", "--", ...words], around);

    const lines = stdout.trimEnd().split("\n");
    expect([exit, lines.pop()]).toEqual([0, ":4"]);
    expect(lines.map((line) => line.split("\t")[0])).toEqual(offered);
  });

  test("knows no names without a gateway, and complains of nothing", async () => {
    const { exit, stdout, stderr } = await understudy(["complete", "--", "switch", ""]);

    expect([exit, stdout, stderr]).toEqual([0, ":4\n", ""]);
  });

  test.each([["bash"], ["fish"]])("is what %s offers", async (shell) => {
    await using admin = await startTestAdmin();
    const bin = mkdtempSync(join(folder, "bin-"));
    const program = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
    writeFileSync(join(bin, "understudy"), program, { mode: 0o755 });
    const asks: Readonly<Record<string, string>> = {
      bash: `. /usr/share/bash-completion/bash_completion; eval "$(understudy completion bash)"
        COMP_LINE='understudy switch app g'; COMP_POINT=\${#COMP_LINE}
        COMP_WORDS=(understudy switch app g); COMP_CWORD=3
        __understudy_complete; printf '%s\\n' "\${COMPREPLY[@]}"`,
      fish: "understudy completion fish | source; complete -C 'understudy switch app g'",
    };

    await using asked = startProgram(shell, ["-c", asks[shell] ?? ""], {
      cwd: bin,
      env: { HOME: bin, UNDERSTUDY_ADMIN: admin.address, PATH: `${bin}:${process.env["PATH"]}` },
    });
    await asked.exit();

    expect(asked.stdout.trim()).toBe("green");
  });
});

interface Surroundings {
  readonly admin?: TestAdmin;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a command, in an empty folder where no other is given. */
function start(args: readonly string[], { admin, cwd, env }: Surroundings = {}): Program {
  const place = admin === undefined ? [] : ["--admin", admin.address];
  return startProgram(process.execPath, [MAIN, ...args, ...place], {
    cwd: cwd ?? mkdtempSync(join(folder, "empty-")),
    env: { PATH: process.env["PATH"], ...env },
  });
}

/** Runs a command to its end. */
async function understudy(args: readonly string[], around: Surroundings = {}) {
  await using program = start(args, around);
  const { code: exit } = await program.exit();
  return { exit, stdout: program.stdout, stderr: program.stderr };
}

/** Waits until the program follows the events: it has told one, of a group of its own. */
async function follows(admin: TestAdmin, program: Program): Promise<void> {
  const told = await isTrueWithin(10_000, () => {
    admin.control.tell({ type: "group-recovered", group: WARM_UP, reason: "so it begins" });
    return program.stdout !== "";
  });
  expect(told).toBe(true);
}

/** What it has said since. */
function linesOf(program: Program): readonly string[] {
  const lines = program.stdout.trimEnd().split("\n");
  return lines.filter((line) => !line.includes(WARM_UP));
}

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
