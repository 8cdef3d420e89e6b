import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { act } from "../../src/action/act.ts";
import type { Action } from "../../src/action/action.ts";

const FACTS = { event: "standby-start", group: "app", pool: "green", failover_status: "offline" };
const WALL = Date.UTC(2026, 0, 1);
const MEANS = { env: process.env, signal: new AbortController().signal, wall: () => WALL };

function bash(script: string, timeoutMs = 10_000): Action {
  return { kind: "exec", command: ["bash", "-c", script], timeoutMs };
}

describe("a program", () => {
  test("has the facts in its environment, and as JSON on its input", async () => {
    const script = 'echo "$UNDERSTUDY_EVENT $UNDERSTUDY_POOL $FAILOVER_STATUS"; cat';

    expect(await act(bash(script), FACTS, MEANS)).toEqual({
      ok: true,
      output: `standby-start green offline\n${JSON.stringify(FACTS)}`,
    });
  });

  test("that fails is told with what it said", async () => {
    expect(await act(bash("echo no such machine >&2; exit 3"), FACTS, MEANS)).toEqual({
      ok: false,
      reason: "bash ended with exit status 3: no such machine",
    });
  });

  test("that is not there is told", async () => {
    const action: Action = { kind: "exec", command: ["/none/at/all"], timeoutMs: 1_000 };

    expect(await act(action, FACTS, MEANS)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^\/none\/at\/all cannot be run: .*ENOENT/),
    });
  });

  test("that takes too long is killed, with what it has started", async () => {
    expect(await act(bash("sleep 60 & wait", 100), FACTS, MEANS)).toEqual({
      ok: false,
      reason: "bash was killed: it was not done within 0.1 s",
    });
  });

  test("need not read its input, nor end what it leaves behind", async () => {
    const script = "exec <&-; (sleep 1 >/dev/null 2>&1 &) ; echo done";

    expect(await act(bash(script), FACTS, MEANS)).toEqual({ ok: true, output: "done" });
  });
});

describe("a webhook", () => {
  test("gets the facts, signed", async () => {
    const { url, requests } = await receiver([204]);

    const result = await act(
      { kind: "webhook", url, secret: "s3cret", timeoutMs: 5_000 },
      FACTS,
      MEANS,
    );

    expect(result).toEqual({ ok: true, output: "answered 204" });
    const body = requests[0]?.body ?? "";
    const seconds = String(WALL / 1_000);
    const signature = createHmac("sha256", "s3cret").update(`${seconds}.${body}`).digest("hex");
    expect(JSON.parse(body)).toEqual(FACTS);
    expect(requests[0]?.fields).toMatchObject({
      "x-understudy-timestamp": seconds,
      "x-understudy-signature": `sha256=${signature}`,
    });
  });

  test("is sent again, as the same delivery, until it is taken", async () => {
    const { url, requests } = await receiver([503, 429, 204]);

    const result = await act(hook(url, 5_000), FACTS, MEANS);

    expect(result).toEqual({ ok: true, output: "answered 204" });
    const deliveries = requests.map(({ body, fields }) => [body, fields["x-understudy-delivery"]]);
    expect(deliveries).toHaveLength(3);
    expect(new Set(deliveries.map((one) => one.join(" "))).size).toBe(1);
  });

  test("that is refused has failed, and so has one that nobody takes in time", async () => {
    const wrong = await receiver([400]);
    const broken = await receiver([500]);
    const silent = await receiver([]);

    expect(await act(hook(wrong.url), FACTS, MEANS)).toEqual({
      ok: false,
      reason: `${new URL(wrong.url).origin} answered 400`,
    });
    for (const { url } of [broken, silent]) {
      expect(await act(hook(url), FACTS, MEANS)).toEqual({
        ok: false,
        reason: "it was not done within 0.2 s",
      });
    }
    expect(wrong.requests).toHaveLength(1);
  });
});

function hook(url: string, timeoutMs = 200): Action {
  return { kind: "webhook", url, secret: undefined, timeoutMs };
}

describe("a container", () => {
  test.each([
    [204, { ok: true, output: "container app_green: start" }],
    [304, { ok: true, output: "container app_green: already so" }],
    [404, { ok: false, reason: expect.stringMatching(/answered 404: no such container$/) }],
  ])("is started over the engine's socket, which answers %i", async (status, result) => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-engine-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const socket = join(folder, "docker.sock");
    const { requests } = await receiver([status], socket, "no such container");
    const container = "app_green";
    const action: Action = { kind: "docker", container, order: "start", socket, timeoutMs: 5_000 };

    expect(await act(action, FACTS, MEANS)).toEqual(result);
    expect(requests.map(({ line }) => line)).toEqual(["POST /containers/app_green/start"]);
  });
});

interface Received {
  readonly line: string;
  readonly fields: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers with these statuses, the last of them again and again, or never; gone with the test. */
async function receiver(statuses: readonly number[], path?: string, says = "") {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const status = statuses[requests.length] ?? statuses.at(-1);
      requests.push({ line: `${request.method} ${request.url}`, fields: request.headers, body });
      if (status !== undefined) response.writeHead(status).end(status === 404 ? says : undefined);
    });
  });
  server.listen(path ?? { host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/hook`, requests };
}
