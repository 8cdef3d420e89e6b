import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { MAIN } from "../support/gateway-program.ts";
import { MessageReceiver } from "../support/message-receiver.ts";
import { startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "understudy-watch-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

/** Lines of nginx, one a second from 03:00:00 on, by the pools that answer. */
function logOf(pools: readonly string[]): string {
  const name = `access-${++files}.log`;
  writeFileSync(join(folder, name), pools.map((pool, n) => lineOf(pool, n)).join(""));
  return name;
}

function lineOf(pool: string, second: number): string {
  const clock = new Date(second * 1_000).toISOString().slice(14, 19);
  return `192.0.2.7 - [21/Nov/2026:03:${clock} +0000] "GET / HTTP/1.1" 200 pool=${pool} release=v1 upstream_status=200 upstream_addr=127.0.0.1:3001 request_time=0.005\n`;
}

function watch(args: readonly string[], env: Record<string, string> = {}) {
  const program = startProgram(process.execPath, [MAIN, "watch", ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  return program;
}

const times = (count: number, pool: string): readonly string[] =>
  Array.from({ length: count }, () => pool);

test("a log that is read once prints what would have been told, at the time of its lines", async () => {
  const log = logOf([...times(5, "blue"), ...times(5, "green"), ...times(5, "blue")]);
  await using program = watch([log, "--once", "--group", "shop"]);

  expect(await program.exit()).toEqual({ code: 0, signal: null });
  const titles = program.stdout.match(/^(Failover|Recovery|Group|understudy watch).*/gm);
  expect(titles).toEqual([
    "Failover detected: blue -> green",
    "Group: shop",
    expect.stringMatching(/2026-11-21T03:00:06.000Z$/),
    "Recovery: back to blue (primary)",
    "Group: shop",
    expect.stringMatching(/2026-11-21T03:00:11.000Z$/),
  ]);
  expect(program.stderr).toBe("");
});

test.each([
  [["access.log"], {}, 2, "nobody would be told: set SLACK_WEBHOOK_URL"],
  [["none.log", "--once"], {}, 1, "ENOENT"],
  [[".", "--print"], {}, 1, "understudy: .: is no regular file"],
  [[], {}, 2, "missing required argument 'file'"],
  [
    ["access.log"],
    { ERROR_RATE_THRESHOLD: "most" },
    2,
    "(the environment has it as ERROR_RATE_THRESHOLD)",
  ],
  [["access.log", "--config", "none.yaml"], {}, 2, "none.yaml"],
])("%j with %j ends with what is wrong", async (args, env, code, words) => {
  await using program = watch(args, env);

  expect(await program.exit()).toEqual({ code, signal: null });
  expect(program.stderr).toContain(words);
  expect(program.stderr).not.toContain("    at ");
});

test("a log in which nothing is known is told", async () => {
  const name = "strange.log";
  writeFileSync(join(folder, name), "hello\n".repeat(7));
  await using program = watch([name, "--once"]);

  expect((await program.exit()).code).toBe(0);
  expect(program.stderr).toContain("7 of 7 lines have no status");
});

test("a file that comes later is followed, and a stop does not wait for an endpoint that hangs", async () => {
  await using slack = await new MessageReceiver([{ status: 500, afterMs: 60_000 }]).listen();
  const env = { SLACK_WEBHOOK_URL: slack.url, ACTIVE_POOL: "blue" };
  const name = `late-${++files}.log`;
  await using program = watch([name], env);
  await program.says(/is not there yet/, "stderr");
  const path = join(folder, name);
  for (let n = 0; n < 5; n++) appendFileSync(path, lineOf("green", n));
  await program.says(/failover {2}blue -> green: green answers the requests/);
  await until(() => slack.posted.length === 1, "it is sent");
  const asked = performance.now();
  program.signal("SIGTERM");

  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(performance.now() - asked).toBeLessThan(5_000);

  // What nobody has taken is sent by the next one.
  slack.replies = [{ status: 200 }];
  await using next = watch([name], env);
  await until(() => slack.titles.length === 1, "it is sent again");
  next.signal("SIGINT");
  expect(await next.exit()).toEqual({ code: 0, signal: null });
  expect(slack.titles).toEqual(["Failover detected: blue -&gt; green"]);
});

test("a pipe is watched to its end, and whatever there is to tell is sent before", async () => {
  await using slack = await new MessageReceiver().listen();
  const log = logOf([...times(5, "blue"), ...times(5, "green")]);
  await using program = startProgram(
    "sh",
    ["-c", `exec '${process.execPath}' '${MAIN}' watch - < ${log}`],
    { cwd: folder, env: { PATH: process.env["PATH"] ?? "", SLACK_WEBHOOK_URL: slack.url } },
  );

  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(slack.titles).toEqual(["Failover detected: blue -&gt; green"]);
});

test("a configuration of the gateway says which pool is the primary, and where messages go", async () => {
  await using receiver = await new MessageReceiver().listen();
  const config = {
    listen: "127.0.0.1:0",
    alerts: { channels: [{ webhook: receiver.url }], rules: ["failover"] },
    groups: { shop: { primary: "green", pools: { blue: "http://a", green: "http://b" } } },
  };
  writeFileSync(join(folder, "shop.yaml"), JSON.stringify(config));
  const log = logOf(times(5, "blue"));
  await using program = watch([log, "--config", "shop.yaml", "--from-start"]);
  await until(() => receiver.titles.length === 1, "the failover is told");
  program.signal("SIGTERM");
  await program.exit();

  expect(receiver.titles).toEqual(["Failover detected: green -> blue"]);
  expect(JSON.parse(receiver.posted[0]?.body ?? "")).toMatchObject({ group: "shop" });
});
