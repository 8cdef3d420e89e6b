import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { HttpProbe, ProbeAsk } from "../../src/config/config.ts";
import { probeServer } from "../../src/probe/probe-server.ts";
import type { ProbeResult, ProbeSettings } from "../../src/probe/probe-settings.ts";
import { DeadlineWheel } from "../../src/proxy/deadline-wheel.ts";
import { aServer, PROBED } from "../support/failover-groups.ts";
import { startHealthApp } from "../support/health-app.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { holdSilentPort } from "../support/unreachable-port.ts";
import { isTrueWithin } from "../support/waits.ts";

const HTTP: HttpProbe = {
  kind: "http",
  method: "GET",
  path: "/healthz?deep=1",
  host: undefined,
  headers: {},
  statuses: [{ from: 200, to: 399 }],
  body: undefined,
  json: {},
  release: undefined,
};
const PASSED: ProbeResult = { ok: true };

interface More extends Partial<ProbeSettings> {
  readonly clock?: Clock;
}

function probe(port: number, ask: ProbeAsk, { clock = systemClock, ...more }: More = {}) {
  const wheel = new DeadlineWheel(clock);
  onTestFinished(() => wheel.stop());
  return probeServer(aServer("blue", `127.0.0.1:${port}`), {
    group: "app",
    health: { ask, timeoutMs: 1000, rules: PROBED },
    isOnline: true,
    expected: undefined,
    findAddress: async (name) => name,
    setDeadline: (ms, expire) => wheel.after(ms, expire),
    headBytes: 64 * 1024,
    env: {},
    signal: new AbortController().signal,
    ...more,
  });
}

async function closedPort(): Promise<number> {
  await using app = await startHealthApp();
  return app.port;
}

test("an http probe asks as it is told, and says whether the pool serves", async () => {
  await using app = await startHealthApp();
  const ask: HttpProbe = { ...HTTP, method: "POST", host: "app.test", headers: { "X-Key": "k" } };

  const results = [await probe(app.port, ask), await probe(app.port, HTTP, { isOnline: false })];

  expect(results).toEqual([PASSED, PASSED]);
  const [first, second] = app.probes;
  expect([first?.method, first?.url]).toEqual(["POST", "/healthz?deep=1"]);
  expect(first?.headers).toMatchObject({
    host: "app.test",
    "x-key": "k",
    "x-failover-status": "online",
  });
  expect(second?.headers).toMatchObject({
    host: `127.0.0.1:${app.port}`,
    "x-failover-status": "offline",
  });
});

test("each probe has a connection of its own", async () => {
  await using app = await startHealthApp();

  await probe(app.port, HTTP);
  await probe(app.port, HTTP);

  expect(app.connections).toBe(2);
});

test.each<[string, Partial<HttpProbe>, object, string | undefined]>([
  ["a status outside the ranges", {}, { status: 503 }, "was answered with 503"],
  ["a redirect", {}, { status: 302, fields: { Location: "/" } }, undefined],
  [
    "a status between two ranges",
    {
      statuses: [
        { from: 200, to: 200 },
        { from: 401, to: 401 },
      ],
    },
    { status: 201 },
    "was answered with 201",
  ],
  ["a text in the body", { body: "all well" }, { body: "yes, all well" }, undefined],
  [
    "no such text in the body",
    { body: "all well" },
    { body: "all bad" },
    'was answered without "all well" in its body',
  ],
  [
    "the values of a JSON body",
    { json: { status: "ok", "checks.0.up": true, "a.b": 1 } },
    { body: '{"status":"ok","checks":[{"up":true}],"a.b":1}' },
    undefined,
  ],
  [
    "another value in a JSON body",
    { json: { "db.state": "up" } },
    { body: '{"db":{"state":"slow"}}' },
    'was answered with db.state = "slow" instead of "up"',
  ],
  [
    "no such value in a JSON body",
    { json: { "db.state": null } },
    { body: '{"db":"up"}' },
    "was answered with db.state = nothing instead of null",
  ],
  [
    "a body that is no JSON",
    { json: { ok: true } },
    { body: "<html>" },
    "was answered with a body that is no JSON",
  ],
  [
    "the release that is expected",
    { release: "v2" },
    { fields: { "X-Release-Id": "v2" } },
    undefined,
  ],
  [
    "another release",
    { release: "v2" },
    { fields: { "X-Release-Id": "v1" } },
    'was answered by release "v1" instead of v2',
  ],
  ["no release", { release: "v2" }, {}, "was answered by an unnamed release instead of v2"],
])("an answer with %s", async (_, more, says, wrong) => {
  await using app = await startHealthApp(says);

  const result = await probe(app.port, { ...HTTP, path: "/h", ...more });

  const failed = { ok: false, reason: `GET /h ${wrong}`, silent: false };
  expect(result).toEqual(wrong === undefined ? PASSED : failed);
});

test("an answer of another pool than its own is none of the server's", async () => {
  await using app = await startHealthApp({ fields: { "X-App-Pool": "green" } });

  const result = await probe(app.port, HTTP, { expected: { pool: "blue" } });

  expect(result).toMatchObject({ ok: false, silent: false });
});

test("a body longer than is looked at ends the probe, whatever comes behind", async () => {
  await using app = await startHealthApp({ body: `${"x".repeat(200_000)} the end` });

  expect(await probe(app.port, HTTP)).toEqual(PASSED);
  expect(await probe(app.port, { ...HTTP, body: "the end" })).toMatchObject({ ok: false });
});

test.each<[string, ProbeAsk]>([
  ["http", HTTP],
  ["tcp", { kind: "tcp" }],
])("where nobody listens a probe by %s fails, and says that nobody was there", async (_, ask) => {
  const result = await probe(await closedPort(), ask);

  expect(result).toEqual({ ok: false, reason: "ECONNREFUSED", silent: true });
});

test("a connection is all that a tcp probe wants", async () => {
  await using app = await startHealthApp("nothing");

  expect(await probe(app.port, { kind: "tcp" })).toEqual(PASSED);
});

test("an answer that does not come in time is none", async () => {
  const clock = new ManualClock();
  await using app = await startHealthApp("nothing");

  const result = probe(app.port, HTTP, { clock });
  await app.probed(1);

  expect(await clock.runUntil(result)).toEqual({
    ok: false,
    reason: "no answer within 1000 ms",
    silent: true,
  });
});

test("a name that is looked up for ever, and a port that nobody answers, take no longer", async () => {
  const clock = new ManualClock();
  await using port = await holdSilentPort();
  const findAddress = () => new Promise<string>(() => {});

  const results = [
    await clock.runUntil(probe(1, HTTP, { clock, findAddress })),
    await clock.runUntil(probe(port.port, { kind: "tcp" }, { clock })),
  ];

  expect(results).toMatchObject([
    { reason: "no answer within 1000 ms" },
    { reason: "no connection within 1000 ms" },
  ]);
});

test("an answer that came while our own loop stood still has come in time", async () => {
  await using app = await startHealthApp();
  const clock = new ManualClock();

  const result = probe(app.port, HTTP, { clock });
  clock.stall(60_000);

  expect(await clock.runUntil(result)).toEqual(PASSED);
});

test("an aborted probe ends at once", async () => {
  const aborter = new AbortController();
  await using app = await startHealthApp("nothing");

  const result = probe(app.port, HTTP, { signal: aborter.signal });
  await app.probed(1);
  aborter.abort();

  expect(await result).toMatchObject({ ok: false });
});

test.each([
  [["true"], PASSED],
  [["sh", "-c", "exit 3"], failed("sh ended with exit status 3")],
  [["sh", "-c", "kill -9 $$"], failed("sh ended with SIGKILL")],
  [["no-such-program"], failed("no-such-program cannot be run: spawn no-such-program ENOENT")],
])("what a program says is what its probe finds: %j", async (command, expected) => {
  const env = { PATH: "/usr/bin:/bin" };

  expect(await probe(0, { kind: "exec", command }, { env })).toEqual(expected);
});

test("a program is told whom it is to probe", async () => {
  await using folder = await temporaryFolder();
  const command = ["sh", "-c", 'env | grep -E "^(FAILOVER|UNDERSTUDY)" | sort > "$OUT"'];
  const env = { PATH: "/usr/bin:/bin", OUT: folder.file("facts") };

  await probe(3000, { kind: "exec", command }, { env, isOnline: false });

  expect((await readFile(env.OUT, "utf8")).trim().split("\n")).toEqual([
    "FAILOVER_STATUS=offline",
    "UNDERSTUDY_GROUP=app",
    "UNDERSTUDY_POOL=blue",
    "UNDERSTUDY_SERVER=127.0.0.1:3000",
  ]);
});

test("a program that takes too long is killed with all that it has started", async () => {
  const clock = new ManualClock();
  await using folder = await temporaryFolder();
  const script = folder.file("slow");
  await writeFile(script, '#!/bin/sh\nsleep 1000 &\necho $! > "$OUT"\nwait\n');
  await chmod(script, 0o755);
  const env = { PATH: "/usr/bin:/bin", OUT: folder.file("pid") };

  const result = probe(0, { kind: "exec", command: [script] }, { clock, env });
  const pid = await childIn(env.OUT);

  expect(await clock.runUntil(result)).toEqual(failed(`${script}: no exit within 1000 ms`));
  expect(await isTrueWithin(2_000, () => !isAlive(pid))).toBe(true);
});

function failed(reason: string): ProbeResult {
  return { ok: false, reason, silent: false };
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "understudy-"));
  return {
    file: (name: string) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

async function childIn(file: string): Promise<number> {
  let pid = 0;
  const read = () =>
    void readFile(file, "utf8").then(
      (text) => (pid = Number(text)),
      () => {},
    );
  await isTrueWithin(5_000, () => {
    read();
    return pid > 0;
  });
  return pid;
}

/** A process that has ended and that nobody has asked for yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
