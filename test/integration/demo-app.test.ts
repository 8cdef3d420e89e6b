import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { startClient } from "../../demo/strict-client.ts";
import { connectSocketIo } from "../support/socketio.ts";
import { closeOf, connectSocket, messages } from "../support/sockets.ts";

test("the demo app tells which pool and release it is, in every answer", async () => {
  await using app = await startApp("--pool", "green", "--release", "v2");

  const version = await fetch(`${app.url}/version`);
  const page = await fetch(app.url);
  const healthz = await fetch(`${app.url}/healthz`);
  const missing = await fetch(`${app.url}/missing`);

  expect(await version.json()).toEqual({ pool: "green", release: "v2", status: "ok" });
  expect(await page.text()).toContain("green plays v2");
  expect([version, page, healthz, missing].map(signature)).toEqual([
    [200, "green", "v2"],
    [200, "green", "v2"],
    [200, "green", "v2"],
    [404, "green", "v2"],
  ]);
});

test("it echoes method, body and id", async () => {
  await using app = await startApp();

  const headers = { "X-Echo-Id": "7", "Content-Type": "text/plain" };
  const answer = await fetch(`${app.url}/echo`, { method: "POST", headers, body: "hello" });
  const accepted = await fetch(app.url, { method: "POST", headers, body: "hello" });

  expect([await answer.text(), answer.headers.get("x-echo-method")]).toEqual(["hello", "POST"]);
  expect([answer, accepted].map((a) => [a.status, a.headers.get("x-echo-id")])).toEqual([
    [200, "7"],
    [200, "7"],
  ]);
});

test.each([
  ["error", "status"],
  ["timeout", "timeout"],
  ["close", "reset"],
])("chaos mode %s makes requests fail by %s until it is stopped", async (mode, kind) => {
  await using app = await startApp();

  const started = await fetch(`${app.url}/chaos/start?mode=${mode}`, { method: "POST" });
  const inChaos = await outcomes(app.port);
  const stopped = await fetch(`${app.url}/chaos/stop`);
  const afterwards = await outcomes(app.port);

  expect(await started.json()).toEqual({ pool: "blue", chaos: mode });
  expect(await stopped.json()).toEqual({ pool: "blue", chaos: "none" });
  expect([inChaos, afterwards]).toEqual([
    [kind, kind],
    ["ok", "ok"],
  ]);
});

test("chaos mode slow answers after two seconds", async () => {
  await using app = await startApp();
  await fetch(`${app.url}/chaos/start?mode=slow`);

  const startedAt = performance.now();
  const answer = await fetch(`${app.url}/version`);

  expect(answer.status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThan(1_900);
});

test("an unknown chaos mode is refused", async () => {
  await using app = await startApp();

  const answer = await fetch(`${app.url}/chaos/start?mode=meteor`);

  expect([answer.status, await answer.json()]).toEqual([
    400,
    { status: "unknown chaos", modes: ["error", "timeout", "slow", "close"] },
  ]);
});

test("its WebSockets tell pool and release at once and every second, and echo", async () => {
  await using app = await startApp("--pool", "green", "--release", "v2");
  await using client = await connectSocket({ port: app.port }, { path: "/ws" });

  client.socket.send("hello");

  const heard = await messages(client.socket, 3);
  const signature = '{"pool":"green","release":"v2"}';
  expect(heard.map(String)).toEqual([signature, "hello", signature]);
});

test.each([[["polling"]], [["websocket"]], [["polling", "websocket"]]] as const)(
  "its Socket.IO acknowledges an echo by %j",
  async (transports) => {
    await using app = await startApp();
    using client = await connectSocketIo(app.port, { transports });

    expect(await client.ask("echo", { n: 7 })).toEqual({ n: 7 });
  },
);

test("an upgrade that it does not know is served as plain HTTP", async () => {
  await using app = await startApp();
  const headers = { Connection: "Upgrade", Upgrade: "websocket" };

  const answer = await answerTo(app.port, "/version", headers);

  expect(answer).toEqual([200, "blue"]);
});

test("it ends with 0 on SIGTERM, even with sockets that stay", async () => {
  await using app = await startApp();
  await using client = await connectSocket({ port: app.port }, { path: "/ws" });
  using _ = await connectSocketIo(app.port, { transports: ["websocket"], reconnection: false });

  app.process.kill("SIGTERM");

  expect(await Promise.all([app.exit, closeOf(client.socket)])).toEqual([0, [1006, ""]]);
});

test("it ends with 0 on SIGTERM, even with a request that hangs", async () => {
  await using app = await startApp();
  await fetch(`${app.url}/chaos/start?mode=timeout`);
  const hanging = fetch(app.url).then(
    () => "answered",
    () => "cut",
  );
  await fetch(`${app.url}/chaos/stop`);

  app.process.kill("SIGTERM");

  expect(await Promise.all([app.exit, hanging])).toEqual([0, "cut"]);
});

function signature(answer: Response): unknown[] {
  const { status, headers } = answer;
  return [status, headers.get("x-app-pool"), headers.get("x-release-id")];
}

/** By a client that sends what fetch does not. */
async function answerTo(port: number, path: string, headers: Record<string, string>) {
  const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }).end();
  const [answer] = await once(asked, "response");
  answer.resume();
  return [answer.statusCode, answer.headers["x-app-pool"]];
}

/** What became of a GET and a POST. */
async function outcomes(port: number): Promise<string[]> {
  const ends: string[] = [];
  const done = Promise.withResolvers<void>();
  const client = startClient({
    host: "127.0.0.1",
    port,
    connections: 1,
    postRatio: 0.5,
    timeoutMs: 200,
    onResult: (result) => {
      ends.push(result.ok ? "ok" : result.kind);
      if (ends.length === 2) done.resolve(client.stop().then(() => {}));
    },
  });
  await done.promise;
  return ends;
}

async function startApp(...flags: readonly string[]) {
  const child = spawn(process.execPath, ["demo/app.ts", "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit").then(([code]) => Number(code));
  const [line] = await once(createInterface(child.stdout), "line");
  const port = Number(/^ready (\d+)$/.exec(String(line))?.[1]);
  return {
    process: child,
    exit,
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
