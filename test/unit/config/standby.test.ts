import { expect, test } from "vitest";
import { parseConfig } from "../../../src/config/parse-config.ts";

/** A group of blue and a green with these keys. */
function parse(green: string, group = "health: /healthz") {
  const pools = `pools: { blue: http://a, green: { url: http://b, ${green} } }`;
  return parseConfig(`listen: 127.0.0.1:0\ngroups: { app: { ${group}, ${pools} } }\n`, {
    file: "understudy.yaml",
    env: {},
    readText: () => "",
  });
}

test("a cold standby arrives where the code looks for it", () => {
  const keys =
    "standby: cold, start: { exec: [up, green] }, stop: { docker: app_green }, stop_after: 0s";
  const parsed = parse(keys);

  const [app] = parsed.ok ? parsed.config.groups : [];
  expect(app?.spec.pools.map(({ name, cold }) => [name, cold])).toEqual([
    ["blue", false],
    ["green", true],
  ]);
  expect(app?.standbys.get("green")).toEqual({
    start: { kind: "exec", command: ["up", "green"], timeoutMs: 30_000 },
    stop: {
      kind: "docker",
      container: "app_green",
      order: "stop",
      socket: "/var/run/docker.sock",
      timeoutMs: 30_000,
    },
    bootMs: 60_000,
    stopAfterMs: 0,
  });
});

test.each([
  [
    "standby: cold",
    "health: /x",
    "standby: a cold standby needs a `start`, for example { exec: [/usr/local/bin/start-green] }",
  ],
  [
    "standby: cold, start: { exec: [up] }",
    "health: off",
    "standby: a cold standby needs `health`: a probe tells when it has booted",
  ],
  [
    "standby: cold, start: { exec: [up] }",
    "health: /x, primary: green",
    "standby: the primary pool serves: only another one can be cold",
  ],
  [
    "boot_timeout: 1s",
    "health: /x",
    "boot_timeout: belongs to a cold standby: write `standby: cold` beside it",
  ],
  [
    "standby: cold, start: { docker: a, exec: [b] }",
    "health: /x",
    "start: needs one of `exec`, `webhook` and `docker`",
  ],
  [
    "standby: cold, start: { webhook: nowhere }",
    "health: /x",
    "start.webhook: must be an http or https url",
  ],
  ["standby: warm", "health: /x", 'standby: "warm" is none of cold'],
  ["standby: cold, start: up", "health: /x", 'start: "up" is no map of keys'],
])("%s with %s is a mistake", (green, group, mistake) => {
  const parsed = parse(green, group);

  const told = parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  expect(told).toContain(`groups.app.pools.green.${mistake}`);
});
