import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { freePort } from "../../bench/rig/ports.ts";
import { startClient } from "../../demo/strict-client.ts";
import { startDemoApp } from "../support/demo-app.ts";
import { startGatewayProgram } from "../support/gateway-program.ts";
import { startProgram } from "../support/program.ts";
import { MONITORING, type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";

const DASHBOARD = z.object({
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) }),
  ),
});

test("a real Prometheus sees a failover: who served, what failed, that no client saw it", async () => {
  await using blue = await startDemoApp("blue");
  await using green = await startDemoApp("green");
  const admin = `127.0.0.1:${await freePort()}`;
  await using gateway = await startGatewayProgram({
    config: { workers: 2, admin: { address: admin } },
    groups: { app: { pools: { blue: blue.url, green: green.url } } },
  });
  await using prometheus = await startPrometheus(admin);
  const load = { host: "127.0.0.1", port: gateway.port, ratePerSecond: 100 };
  const client = startClient(load);
  const isTrue = (expression: string) => async () =>
    (await prometheus.query(expression)).length > 0;

  await until(isTrue('rate(understudy_http_requests_total{pool="blue"}[5s]) > 50'), "blue serves");
  await blue.kill();
  await until(isTrue('understudy_group_active_pool{pool="green"} == 1'), "green serves");
  await until(isTrue('ALERTS{alertname="UnderstudyFailover",alertstate="firing"}'), "the alert");
  await until(isTrue('rate(understudy_http_requests_total{pool="green"}[5s]) > 50'), "its rate");
  const panels = await emptyPanels(prometheus);
  const { issued, ok } = await client.stop();
  await until(
    async () => (await prometheus.number("sum(understudy_http_requests_total)")) === issued,
    "every request is counted",
  );

  expect(ok).toBe(issued);
  expect(panels).toEqual([]);
  // From blue to green, once.
  const active = "understudy_group_active_pool";
  expect(await prometheus.number(`changes(${active}{pool="blue"}[5m])`)).toBe(1);
  expect(await prometheus.number(`max_over_time(${active}{pool="blue"}[5m])`)).toBe(1);
  expect(await prometheus.number(`${active}{pool="blue"}`)).toBe(0);
  // Clients saw nothing of what failed.
  const sum = (series: string) => prometheus.number(`sum(understudy_${series})`);
  expect(await sum('http_requests_total{code="5xx"}')).toBe(0);
  expect(await sum('attempts_total{pool="blue",outcome="failed"}')).toBeGreaterThan(0);
  expect(await sum("saved_requests_total")).toBeGreaterThan(0);
  expect(await sum('switches_total{kind="failover"}')).toBe(1);
  expect(await sum("http_request_duration_seconds_count")).toBe(issued);
  expect(await complaints(admin)).toBe("");
});

/** Panels and annotations of the dashboard that have nothing to show, or ask for what is not there. */
async function emptyPanels(prometheus: Prometheus): Promise<readonly string[]> {
  const file = join(MONITORING, "grafana/dashboards/understudy.json");
  const { panels, annotations } = DASHBOARD.parse(JSON.parse(readFileSync(file, "utf8")));
  const shown = panels.map(({ title, targets }) => ({ title, exprs: targets.map(exprOf) }));
  const empty = [];
  for (const { title, exprs } of shown) {
    for (const expr of exprs) {
      if ((await prometheus.query(expr)).length === 0) empty.push(`${title}: ${expr}`);
    }
  }
  // Most of the time nothing happens.
  for (const one of annotations.list) await prometheus.query(exprOf(one));
  return empty;
}

/** As Grafana asks it, with its variables replaced. */
function exprOf({ expr }: { readonly expr: string }): string {
  return expr
    .replaceAll("$group", "app")
    .replaceAll("$pool", "blue")
    .replaceAll("$__rate_interval", "20s")
    .replaceAll("$__range", "1m");
}

/** What promtool has against the metrics. */
async function complaints(admin: string): Promise<string> {
  const check = `curl -sS http://${admin}/metrics | promtool check metrics`;
  await using promtool = startProgram("sh", ["-c", check]);
  await promtool.exit();
  return promtool.stderr + promtool.stdout;
}
