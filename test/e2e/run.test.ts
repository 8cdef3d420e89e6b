import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { MAIN, startGatewayProgram } from "../support/gateway-program.ts";
import { startProgram } from "../support/program.ts";
import { ask, connectRaw, requestText } from "../support/raw-client.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { HANG, OK } from "../support/server-script.ts";
import { until } from "../support/until.ts";

const HOLD = { does: "hold", status: 200 } as const;
const HELP = "(understudy --help tells all commands)";

const folder = mkdtempSync(join(tmpdir(), "understudy-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the end of a gateway", () => {
  test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)(
    "%s lets the request in flight end, accepts no other, then ends with 0",
    async (signal) => {
      await using server = await startScriptedServer([HOLD]);
      await using gateway = await startGatewayProgram({ groups: groupOf(server.port) });
      await using idle = await connectRaw(gateway);
      const answer = ask(gateway, { path: "/held" });
      await server.received("/held");

      gateway.program.signal(signal);
      await idle.end();
      await expect(connectRaw(gateway)).rejects.toThrow("ECONNREFUSED");
      server.release();

      const { status, fields } = (await answer) ?? {};
      expect([status, fields?.get("connection")]).toEqual([200, "close"]);
      expect(await gateway.program.exit()).toEqual({ code: 0, signal: null });
      expect(gateway.accessLog.map(({ status }) => status)).toEqual([200]);
    },
  );

  test("a second signal does not wait, and the log keeps what it had", async () => {
    await using server = await startScriptedServer([OK, HANG]);
    await using gateway = await startGatewayProgram({ groups: groupOf(server.port) });
    await ask(gateway, { path: "/answered" });
    await using waiting = await connectRaw(gateway);
    waiting.send(requestText({ path: "/hanging" }));
    await server.received("/hanging");

    gateway.program.signal("SIGTERM");
    await until(() => refuses(gateway.port), "it stops");
    gateway.program.signal("SIGTERM");

    expect(await gateway.program.exit()).toEqual({ code: 1, signal: null });
    expect(gateway.accessLog.map(({ status }) => status)).toEqual([200]);
  });

  test("what has not ended within shutdown_timeout is told so, and stands in the log", async () => {
    await using server = await startScriptedServer([HANG]);
    await using gateway = await startGatewayProgram({
      groups: groupOf(server.port, { timeouts: { read: "1m" } }),
      config: { shutdown_timeout: "200ms" },
    });
    const answer = ask(gateway, { path: "/hanging" });
    await server.received("/hanging");

    expect(await gateway.stop()).toEqual({ code: 0, signal: null });

    expect((await answer)?.status).toBe(503);
    expect(gateway.accessLog.map(({ error }) => error)).toEqual(["STOPPING"]);
  });

  test("under load the log has a line for every answer", async () => {
    await using app = await startDemoApp("blue");
    await using gateway = await startGatewayProgram({
      groups: { app: { pools: { blue: app.url } } },
    });
    const client = startClient({ host: "127.0.0.1", port: gateway.port, connections: 20 });
    await until(() => client.summary().ok > 2_000, "load");

    const exit = await gateway.stop();

    const { ok } = await client.stop();
    expect(exit).toEqual({ code: 0, signal: null });
    expect(gateway.accessLog.filter(({ status }) => status === 200).length).toBe(ok);
  });

  test("a reader that goes away (`| head -1`) does not end it", async () => {
    await using server = await startScriptedServer([OK], { openAtEnd: "close" });
    const config = { listen: "127.0.0.1:0", groups: groupOf(server.port) };
    const file = fileOf("piped.yaml", config);
    // The inner shell tells the process that becomes the gateway, which head does not wait for.
    const pipe = '(sh -c "echo pid \\$PPID >&2"; exec "$@") | head -1';
    const command = [process.execPath, MAIN, "run", "--config", file];
    await using shell = startProgram("sh", ["-c", pipe, "sh", ...command]);
    const pid = Number((await shell.says(/^pid (\d+)$/m, "stderr"))[1]);
    const port = Number((await shell.says(/^ready \S+:(\d+)$/m))[1]);

    const statuses: unknown[] = [];
    for (let n = 0; n < 20; n++) statuses.push((await ask({ port }))?.status);
    process.kill(pid, "SIGTERM");
    await shell.exit();

    expect(statuses).toEqual(Array(20).fill(200));
    expect(shell.stderr).not.toMatch(/EPIPE[^]*at /);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});

test("SIGUSR1 after a rotation opens both logs anew and ends no request", async () => {
  const file = join(folder, "rotated.log");
  const events = join(folder, "rotated.events");
  await using server = await startScriptedServer([HOLD, OK]);
  await using gateway = await startGatewayProgram({
    groups: groupOf(server.port),
    config: { access_log: { file, format: "$request_uri" }, event_log: { file: events } },
  });
  const held = ask(gateway, { path: "/held" });
  await server.received("/held");

  renameSync(file, `${file}.1`);
  renameSync(events, `${events}.1`);
  gateway.program.signal("SIGUSR1");
  await until(() => existsSync(file) && existsSync(events), "the logs are opened anew");
  await ask(gateway, { path: "/after" });
  server.release();

  expect((await held)?.status).toBe(200);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  // Two workers may have served them, each of which writes when it has enough.
  expect(readFileSync(file, "utf8").split("\n").toSorted()).toEqual(["", "/after", "/held"]);
  expect(readFileSync(events, "utf8")).toContain('"message":"logs opened anew"');
  // Without a handler of its own Node takes SIGUSR1 as a call for its debugger.
  expect(gateway.program.stderr).toBe("");
});

test("SIGUSR1 while it still starts opens no debugger", async () => {
  const file = join(folder, "fifo.yaml");
  execFileSync("mkfifo", [file]);
  const args = [MAIN, "run", "--config", file];
  await using program = startProgram(process.execPath, args, { cwd: folder });

  // Opening the pipe waits until the program reads its configuration.
  const pipe = await open(file, "w");
  program.signal("SIGUSR1");
  await pipe.writeFile(JSON.stringify({ listen: "127.0.0.1:0", groups: groupOf(3001) }));
  await pipe.close();
  await program.says(/^ready/m);
  program.signal("SIGTERM");

  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(program.stderr).not.toContain("Debugger");
});

describe("what cannot be done is said in one line, with exit status 2", () => {
  const good = { listen: "127.0.0.1:0", access_log: "off", groups: groupOf(3001) };
  const cases: readonly (readonly [
    name: string,
    args: readonly string[],
    line: string | RegExp,
  ])[] = [
    ["no such file", ["run", "-c", "nowhere.yaml"], /^nowhere\.yaml: cannot be read: ENOENT/],
    ["no file at the default place", ["run"], /^understudy\.yaml: cannot be read: ENOENT/],
    ["a folder for a file", ["check", "-c", "."], /^\.: cannot be read: EISDIR/],
    ["an unknown command", ["serve"], `understudy: unknown command 'serve' ${HELP}`],
    ["a slip", ["chek"], `understudy: unknown command 'chek' (Did you mean check?) ${HELP}`],
    ["an unknown option", ["run", "--port"], `understudy: unknown option '--port' ${HELP}`],
    [
      "an address of nobody",
      ["run", "-c", fileOf("address.yaml", { ...good, listen: "192.0.2.1:80" })],
      "understudy: cannot listen on 192.0.2.1:80: this machine has no such address",
    ],
    [
      "a name of nobody",
      ["run", "-c", fileOf("name.yaml", { ...good, listen: "nobody.invalid:80" })],
      // Which of the two depends on who answers for names on this machine.
      /^understudy: cannot listen on nobody\.invalid: this name (?:has no address|cannot be looked up)$/m,
    ],
    [
      "a unix socket without a folder",
      ["run", "-c", fileOf("socket.yaml", { ...good, listen: "unix:/none/x.sock" })],
      "understudy: cannot use unix:/none/x.sock: permission denied, or its folder does not exist",
    ],
    [
      "a file where a unix socket should be",
      ["run", "-c", fileOf("file.yaml", { ...good, listen: `unix:${join(folder, "file.yaml")}` })],
      `understudy: cannot listen on unix:${join(folder, "file.yaml")}: it is in use by another program, or no socket`,
    ],
    [
      "a log without a folder",
      ["run", "-c", fileOf("log.yaml", { ...good, access_log: { file: "/none/access.log" } })],
      "understudy: cannot open /none/access.log: its folder does not exist",
    ],
  ];

  test.each(cases)("%s", async (_, args, line) => {
    const { exit, stdout, stderr } = await understudy(args);

    expect({ exit, stdout }).toEqual({ exit: { code: 2, signal: null }, stdout: "" });
    if (typeof line === "string") expect(stderr).toBe(`${line}\n`);
    else expect(stderr).toMatch(line);
    expect(stderr.split("\n").length).toBe(2);
  });

  test("a port in use", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const where = typeof address === "string" ? address : `127.0.0.1:${address?.port}`;

    const { exit, stderr } = await understudy([
      "run",
      "-c",
      fileOf("port.yaml", { ...good, listen: where }),
    ]);

    server.close();
    expect(exit).toEqual({ code: 2, signal: null });
    expect(stderr).toBe(`understudy: cannot listen on ${where}: it is in use by another program\n`);
  });

  test("every problem of a configuration, each at its place", async () => {
    const file = join(folder, "bad.yaml");
    writeFileSync(file, "listen: nowhere\ngroups:\n  app:\n    pools: { blue: 7 }\n    hosts: x\n");

    const { exit, stdout, stderr } = await understudy(["run", "-c", file]);

    expect({ exit, stdout }).toEqual({ exit: { code: 2, signal: null }, stdout: "" });
    const places = [...stderr.matchAll(/^\S+bad\.yaml:(\d+:\d+ {2}[\w.]+): \S/gm)];
    expect(places.map((match) => match[1])).toEqual([
      "1:9  listen",
      "4:20  groups.app.pools.blue",
      "5:5  groups.app.hosts",
    ]);
  });
});

test("check tells what would be served", async () => {
  const file = fileOf("good.yaml", {
    listen: ["127.0.0.1:8080", "unix:/run/understudy.sock"],
    groups: {
      shop: {
        routes: [{ host: "shop.test", path: "/" }],
        pools: { blue: "http://127.0.0.1:3001", green: "http://127.0.0.1:3002" },
        primary: "green",
      },
      later: { routes: [{ path: "/later" }] },
    },
  });

  expect(await understudy(["check", "--config", file])).toEqual({
    exit: { code: 0, signal: null },
    stderr: "",
    stdout: [
      "listen http://127.0.0.1:8080, unix:/run/understudy.sock",
      "group shop: shop.test/",
      "  green (primary): 127.0.0.1:3002",
      "  blue (backup): 127.0.0.1:3001",
      "group later: */later",
      "  no pools: answers 503",
      "",
    ].join("\n"),
  });
});

test("check keeps its exit status where nobody reads what it says (`| true`)", async () => {
  const file = fileOf("unread.yaml", { listen: "127.0.0.1:8080", groups: groupOf(3001) });
  const pipe = '("$@"; echo "status $?" >&2) | true';
  const command = [process.execPath, MAIN, "check", "--config", file];
  await using shell = startProgram("sh", ["-c", pipe, "sh", ...command]);

  await shell.exit();

  expect(shell.stderr).toBe("status 0\n");
});

test("without --config it reads understudy.yaml where it stands", async () => {
  fileOf("understudy.yaml", { listen: "127.0.0.1:8080", groups: groupOf(3001) });

  expect(await understudy(["check"], folder)).toMatchObject({
    exit: { code: 0, signal: null },
    stderr: "",
  });
});

/** Runs the command to its end, in an empty folder where no other is given. */
async function understudy(args: readonly string[], cwd?: string) {
  const empty = cwd ?? mkdtempSync(join(folder, "empty-"));
  await using program = startProgram(process.execPath, [MAIN, ...args], { cwd: empty });
  const exit = await program.exit();
  return { exit, stdout: program.stdout, stderr: program.stderr };
}

function groupOf(port: number, more: object = {}): object {
  return { app: { pools: { blue: `http://127.0.0.1:${port}` }, ...more } };
}

/** Every YAML reader takes JSON. */
function fileOf(name: string, config: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function refuses(port: number): Promise<boolean> {
  try {
    await using _ = await connectRaw({ port });
    return false;
  } catch {
    return true;
  }
}
