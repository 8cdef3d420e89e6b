import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { startProgram } from "../support/program.ts";
import { MONITORING } from "../support/prometheus.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("promtool finds nothing wrong with", () => {
  test.each([
    ["the configuration", ["check", "config", "prometheus.yml"]],
    ["the alerts", ["check", "rules", "--lint-fatal", "alerts.yml"]],
    ["what the alerts say in each case", ["test", "rules", "alerts.test.yml"]],
  ])("%s", async (_, args) => {
    await using promtool = startProgram("promtool", args, { cwd: MONITORING });

    const { code } = await promtool.exit();

    expect([code, promtool.stderr]).toEqual([0, ""]);
  });
});

test("every alert is tried", () => {
  const rules = z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })),
  });
  const { groups } = rules.parse(parse(readFileSync(join(MONITORING, "alerts.yml"), "utf8")));
  const tests = readFileSync(join(MONITORING, "alerts.test.yml"), "utf8");

  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));

  expect(alerts.filter((alert) => !tests.includes(`alertname: ${alert}\n`))).toEqual([]);
});

test("compose's profile mounts what is there, from images of one version", () => {
  const service = z.object({
    profiles: z.array(z.string()).default([]),
    image: z.string().optional(),
    volumes: z.array(z.string()).default([]),
  });
  const compose = z.object({ services: z.record(z.string(), service) });
  const { services } = compose.parse(
    parse(readFileSync(join(ROOT, "docker-compose.yml"), "utf8"), { merge: true }),
  );
  const found = Object.values(services).filter(({ profiles }) => profiles.includes("monitoring"));

  const mounts = found.flatMap(({ volumes }) => volumes.filter((one) => one.startsWith("./")));

  expect(found.map(({ image }) => image)).toEqual([
    expect.stringMatching(/^prom\/prometheus:v\d+\.\d+\.\d+$/),
    expect.stringMatching(/^grafana\/grafana:\d+\.\d+\.\d+$/),
  ]);
  expect(mounts.length).toBeGreaterThan(0);
  expect(mounts.filter((one) => !existsSync(join(ROOT, one.split(":")[0] ?? "")))).toEqual([]);
});
