import { describe, expect, test } from "vitest";
import type { AlertsConfig } from "../../../src/alert/alerts.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import type { Env } from "../../../src/config/interpolate.ts";

const SLACK = "https://hooks.slack.com/services/T0/B0/x";

function parse(alerts: string, env: Env = {}) {
  const text = `listen: 127.0.0.1:0\n${alerts}\ngroups: { app: { pools: { blue: http://a:1 } } }`;
  return parseConfig(text, { file: "u.yaml", env, readText: () => "" });
}

function alertsOf(alerts: string, env: Env = {}): AlertsConfig | undefined {
  const result = parse(alerts, env);
  return result.ok ? result.config.alerts : undefined;
}

/** `line path: message` of every problem. */
function problemsOf(alerts: string, env: Env = {}): readonly string[] {
  const result = parse(alerts, env);
  const problems = result.ok ? [] : result.problems;
  return problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

test("every kind of channel, its secret written or in a file", () => {
  const channels = `alerts:
  channels:
    - slack: ${SLACK}
    - discord_file: /run/secrets/discord
    - { webhook: "https://ops.example/hook", secret: s }
    - email: { server: "smtp://u:p@mail.example", from: a@b.example, to: [c@d.example] }
    - exec: [page-me, now]`;

  expect(alertsOf(channels)?.channels).toEqual([
    { kind: "slack", url: { text: SLACK } },
    { kind: "discord", url: { file: "/run/secrets/discord" } },
    { kind: "webhook", url: { text: "https://ops.example/hook" }, secret: "s" },
    {
      kind: "email",
      server: { text: "smtp://u:p@mail.example" },
      from: "a@b.example",
      to: ["c@d.example"],
    },
    { kind: "exec", command: ["page-me", "now"] },
  ]);
});

test("limits, rules and cooldown", () => {
  const written = `alerts:
  links: { Dashboard: "https://grafana.example/d/1" }
  rules: [failover, error-rate]
  error_rate: { threshold: 0.5%, window: 40 }
  latency: { p: 99.9, above: 1s }
  cooldown: 1m
  mute: true`;

  expect(alertsOf(written)).toEqual({
    channels: [],
    links: [{ label: "Dashboard", url: "https://grafana.example/d/1" }],
    rules: new Set(["failover", "error-rate"]),
    errorRate: { threshold: 0.005, window: 40, atLeast: 40 },
    latency: { part: expect.closeTo(0.999), aboveMs: 1_000 },
    cooldownMs: 60_000,
    isMuted: true,
  });
});

describe("the usual names of the environment", () => {
  const env = {
    SLACK_WEBHOOK_URL: SLACK,
    ERROR_RATE_THRESHOLD: "5",
    WINDOW_SIZE: "100",
    ALERT_COOLDOWN_SEC: "60",
    MAINTENANCE_MODE: "true",
  };

  test("work as they are", () => {
    expect(alertsOf("", env)).toMatchObject({
      channels: [{ kind: "slack", url: { text: SLACK } }],
      errorRate: { threshold: 0.05, window: 100, atLeast: 50 },
      cooldownMs: 60_000,
      isMuted: true,
    });
  });

  test("are less than what is written", () => {
    const written =
      "alerts: { channels: [], error_rate: { window: 10 }, cooldown: 1s, mute: false }";

    expect(alertsOf(written, env)).toMatchObject({
      channels: [],
      errorRate: { threshold: 0.05, window: 10 },
      cooldownMs: 1_000,
      isMuted: false,
    });
  });

  test("say nothing where they are empty", () => {
    const empty = Object.fromEntries(Object.keys(env).map((name) => [name, ""]));

    expect(alertsOf("", empty)).toEqual(alertsOf(""));
  });

  test.each([
    [
      "SLACK_WEBHOOK_URL",
      "hooks",
      "alerts.channels.0.slack: must be an http or https url (the environment has it as SLACK_WEBHOOK_URL)",
    ],
    [
      "ERROR_RATE_THRESHOLD",
      "much",
      'alerts.error_rate.threshold: "much" is no part of 100: write 2% (the environment has it as ERROR_RATE_THRESHOLD)',
    ],
    [
      "WINDOW_SIZE",
      "many",
      'alerts.error_rate.window: "many" is no number (the environment has it as WINDOW_SIZE)',
    ],
    ["ALERT_COOLDOWN_SEC", "soon", /^alerts\.cooldown: "soon" is no duration/],
  ])("that make no sense are told: %s=%s", (name, value, problem) => {
    const problems = problemsOf("", { [name]: value }).map((line) => line.replace(/^\d+ /, ""));

    expect(problems).toEqual([
      typeof problem === "string" ? problem : expect.stringMatching(problem),
    ]);
  });
});

test.each([
  ["alerts: loud", '2 alerts: "loud" is no map of keys'],
  ["alerts: { channels: [{}] }", "needs one of `slack`, `discord`, `webhook`, `email` and `exec`"],
  [`alerts: { channels: [{ slack: "${SLACK}", exec: [a] }] }`, "needs one of"],
  ["alerts: { channels: [{ slack: hooks }] }", /slack: must be an http or https url$/],
  ["alerts: { rules: [failovr] }", 'did you mean "failover"?'],
  ["alerts: { error_rate: { threshold: 200% } }", '"200%" is no part of 100: write 2%'],
  ["alerts: { latency: { above: 0s } }", "must be longer than 0"],
])("%s is a mistake", (written, problem) => {
  expect(problemsOf(written).join("\n")).toMatch(problem);
});
