import { expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { DueCheck } from "../../src/failover/recheck.ts";
import type { ServerSpec } from "../../src/failover/spec.ts";
import { checkServer, type CheckResult } from "../../src/probe/check-server.ts";
import { DeadlineWheel } from "../../src/proxy/deadline-wheel.ts";
import { startHandServer } from "../support/hand-server.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startScriptedServer } from "../support/scripted-server.ts";
import { answer, HANG, OK } from "../support/server-script.ts";
import { holdSilentPort } from "../support/unreachable-port.ts";

const LIMIT_MS = 100;

function check(
  { port }: { readonly port: number },
  kind: DueCheck["kind"],
  clock: Clock = systemClock,
  signal = new AbortController().signal,
): Promise<CheckResult> {
  const wheel = new DeadlineWheel(clock);
  onTestFinished(() => wheel.stop());
  return checkServer(specOf(port), kind, {
    findAddress: async () => "127.0.0.1",
    setDeadline: (ms, expire) => wheel.after(ms, expire),
    connectMs: LIMIT_MS,
    answerMs: LIMIT_MS,
    headBytes: 64 * 1024,
    isFailure: (status) => status === 503,
    expected: undefined,
    signal,
  });
}

function specOf(port: number): ServerSpec {
  return {
    key: `blue 127.0.0.1:${port}`,
    pool: "blue",
    url: `http://127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    weight: 1,
    maxFails: 1,
    failTimeoutMs: 10_000,
    maxConns: 0,
    down: false,
    probe: undefined,
  };
}

/** The whole event loop stands still, as in a process that is stopped. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a connection that stood while our loop was stalled has come in time", async () => {
  await using server = await startHandServer();

  const checked = check(server, "connect");
  // Its address is known then, and it dials.
  await Promise.resolve();
  await Promise.resolve();
  stall(5 * LIMIT_MS);

  expect(await checked).toEqual({ ok: true });
});

test("an answer that came while our loop was stalled has come in time", async () => {
  await using server = await startScriptedServer([OK]);

  const checked = check(server, "request");
  await server.checked();
  stall(5 * LIMIT_MS);

  expect(await checked).toEqual({ ok: true });
});

test.each<[kind: "connect" | "request"]>([["connect"], ["request"]])(
  "a server that nobody gets through to fails a check by %s in its time",
  async (kind) => {
    const clock = new ManualClock();
    await using port = await holdSilentPort();

    const result = await clock.runUntil(check(port, kind, clock));

    expect(result).toEqual({ ok: false, reason: "no connection within 100 ms" });
  },
);

test("a server that is silent fails in the time for its answer, which begins with the connection", async () => {
  const clock = new ManualClock();
  await using server = await startScriptedServer([HANG]);
  const checked = check(server, "request", clock);
  await clock.advance(75);
  await server.checked();

  const result = await clock.runUntil(checked);

  expect(result).toEqual({ ok: false, reason: "no answer within 100 ms" });
  await server.quiet();
});

test("a server that answers a piece now and then has no more time than others", async () => {
  const clock = new ManualClock();
  await using server = await startHandServer();
  const checked = check(server, "request", clock);
  const connection = await server.request();
  connection.send("HTTP/1.1 200 OK\r\n");
  await clock.advance(75);
  connection.send("A: b\r\n");
  await clock.advance(75);

  expect(await checked).toEqual({ ok: false, reason: "no answer within 100 ms" });
});

test.each<[kind: "connect" | "request"]>([["connect"], ["request"]])(
  "a check by %s that is aborted ends at once, and leaves no listener behind",
  async (kind) => {
    const clock = new ManualClock();
    await using port = await holdSilentPort();
    const aborter = new AbortController();
    const checked = check(port, kind, clock, aborter.signal);
    await clock.advance(0);

    aborter.abort();

    expect((await checked).ok).toBe(false);
    expect(clock.pending).toBeLessThanOrEqual(1);
  },
);

test("what is wrong with an answer is told at once", async () => {
  const clock = new ManualClock();
  await using server = await startScriptedServer([answer(503)]);

  expect(await check(server, "request", clock)).toEqual({
    ok: false,
    reason: "HEAD / was answered with 503",
  });
});
