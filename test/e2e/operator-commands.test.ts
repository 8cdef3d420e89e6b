import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
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
        "  POOL   ROLE     SERVES  RELEASE  SERVER  HEALTH  FOR  STRIKES  IN FLIGHT  TUNNELS  REASON",
        "  blue   primary  no      -        blue1   down    0s   1        0          0        refused the connection (1 of 1 strikes in 5 s)",
        "  green  backup   yes     v2       green1  up      0s   0        12         3        has not failed yet",
        "  green  backup   yes     v2       green2  up      0s   0        0          0        has not failed yet",
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

    expect(one.stdout).toMatch(/^group app: blue serves: it is the primary\n {2}POOL/);
    expect(none).toEqual({
      exit: 2,
      stdout: "",
      stderr: 'understudy: no group "ap", did you mean "app"?\n',
    });
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
    expect(admin.control.orders).toEqual(["restart"]);
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

describe("events", () => {
  test("prints a line for each, until the gateway ends", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["events"], { admin });
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

  test("--json prints JSON lines", async () => {
    await using admin = await startTestAdmin();
    await using program = start(["events", "--json"], { admin });
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
    await using program = start(["events"], { admin });
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

    expect([exit, admin.control.orders]).toEqual([0, ["reload"]]);
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
