import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { MAIN } from "../support/gateway-program.ts";
import { MessageReceiver } from "../support/message-receiver.ts";
import { type Program, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

/** What the usual home-made watcher is told. */
const USUAL = {
  ACTIVE_POOL: "blue",
  ERROR_RATE_THRESHOLD: "2",
  WINDOW_SIZE: "200",
  ALERT_COOLDOWN_SEC: "300",
};

test("from the log of a real nginx people are told the same, through a rotation and a restart of the watch", async () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await using slack = await new MessageReceiver().listen();
  await using blue = await new App("blue", "v1").start();
  await using green = await new App("green", "v2").start();
  await using nginx = await startNginx(folder, blue, green);
  let watch = await startWatch(folder, slack);
  await load(nginx, 60);

  await blue.stop();
  const killed = performance.now();
  await load(nginx, 10);
  await until(() => slack.titles.length === 1, "the failover is told");
  expect(performance.now() - killed).toBeLessThan(2_000);

  // A watch that is killed and started anew tells nothing twice.
  await pause(500);
  await watch[Symbol.asyncDispose]();
  watch = await startWatch(folder, slack);
  renameSync(join(folder, "access.log"), join(folder, "access.log.1"));
  await load(nginx, 10);
  nginx.program.signal("SIGUSR1");
  await load(nginx, 10);

  await blue.start();
  // Until nginx asks it again.
  await until(async () => (await status(nginx, "/")).pool === "blue", "blue serves");
  await load(nginx, 20);
  await until(() => slack.titles.length === 2, "the recovery is told");

  // 5 %, then none any more.
  for (let n = 0; n < 200; n++) await status(nginx, n % 20 === 0 ? "/bad" : "/");
  await until(() => slack.titles.length === 3, "the error rate is told");
  await load(nginx, 250);
  await until(() => slack.titles.length === 4, "its end is told");
  watch.signal("SIGTERM");
  expect(await watch.exit()).toEqual({ code: 0, signal: null });

  expect(slack.titles).toEqual([
    "Failover detected: blue -&gt; green",
    "Recovery: back to blue (primary)",
    "High error rate of app",
    "Error rate of app is normal",
  ]);
  const [failover] = slack.posted;
  expect(failover?.body).toContain(`*Upstream*\\n127.0.0.1:${green.port}`);
  expect(failover?.body).toContain("*Release*\\nv2");
  expect(failover?.body).toContain("*Request time*");
  expect(failover?.body).toContain(`127.0.0.1:${blue.port} gave 502`);
});

async function startWatch(folder: string, slack: MessageReceiver): Promise<Program> {
  const args = [MAIN, "watch", "access.log"];
  const watch = startProgram(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...USUAL, SLACK_WEBHOOK_URL: slack.url },
  });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  await watch.says(/watching/, "stderr");
  return watch;
}

interface Nginx extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
}

async function startNginx(folder: string, blue: App, green: App): Promise<Nginx> {
  const spare = createServer().listen(0, "127.0.0.1");
  await once(spare, "listening");
  const port = portOf(spare);
  spare.close();
  const config = join(folder, "nginx.conf");
  writeFileSync(config, nginxConf(folder, port, blue, green));
  const args = ["-e", "stderr", "-p", folder, "-c", config];
  const program = startProgram("nginx", args, {
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
  });
  await program.says(/start worker process \d+/, "stderr");
  return { program, port, [Symbol.asyncDispose]: () => stopNginx(program) };
}

/** Killed, it would leave its worker behind. */
async function stopNginx(program: Program): Promise<void> {
  program.signal("SIGTERM");
  await program.exit();
}

function nginxConf(folder: string, port: number, blue: App, green: App): string {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
  log_format blue_green '$remote_addr - [$time_local] "$request" $status '
    'pool=$upstream_http_x_app_pool release=$upstream_http_x_release_id '
    'upstream_status=$upstream_status upstream_addr=$upstream_addr '
    'request_time=$request_time upstream_response_time=$upstream_response_time';
  access_log ${folder}/access.log blue_green;
  ${temp.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  upstream app {
    server 127.0.0.1:${blue.port} max_fails=1 fail_timeout=1s;
    server 127.0.0.1:${green.port} backup;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_next_upstream error timeout http_502 http_503 http_504;
    }
  }
}
`;
}

async function load(nginx: Nginx, requests: number): Promise<void> {
  for (let n = 0; n < requests; n++) await status(nginx, "/");
}

async function status({ port }: Nginx, path: string) {
  const request = get({ host: "127.0.0.1", port, path, agent: false });
  const [response] = await once(request, "response");
  response.resume();
  await once(response, "end");
  return { status: response.statusCode, pool: response.headers["x-app-pool"] };
}

/** An application that can be stopped and brought back on its port; `/bad` gets a 500. */
class App implements AsyncDisposable {
  port = 0;
  readonly #server: Server;

  constructor(pool: string, release: string) {
    this.#server = createServer((request, response) => {
      const code = request.url === "/bad" ? 500 : 200;
      response.writeHead(code, { "X-App-Pool": pool, "X-Release-Id": release }).end("ok");
    });
  }

  async start(): Promise<this> {
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = portOf(this.#server);
    return this;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
