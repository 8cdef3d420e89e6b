import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { until } from "../support/until.ts";
import { docker, Rig } from "./rig.ts";

test("a receiver that stands in for Slack shows a failover and the recovery", async () => {
  await using rig = new Rig("alerts");
  const env = { SLACK_WEBHOOK_URL: "http://receiver:8080", ACTIVE_POOL: "blue" };
  const profile = ["--profile", "alerts"];
  await rig.compose([...profile, "up", "--detach", "--wait", "--no-deps"], env);
  await rig.findPorts();
  const shown = async (): Promise<string> =>
    // Compose clears each line before it writes it, also where nobody sees that.
    stripVTControlCharacters(
      await rig.compose([...profile, "logs", "--no-log-prefix", "receiver"]),
    );

  const test = await rig.compose(["exec", "gateway", "understudy", "alert", "test"]);
  await docker(["stop", "--timeout", "1", rig.container("blue")]);
  await until(async () => (await shown()).includes("Failover"), "the failover is told");
  await docker(["start", rig.container("blue")]);
  await until(async () => (await shown()).includes("Recovery"), "the recovery is told");

  expect(test).toBe("slack receiver:8080: taken\n");
  expect(await shown()).toMatch(/Failover detected: blue -&gt; green\n {2}\*Group\* app/);
});

test("the profile of Prometheus and Grafana is in order", async () => {
  const text = await docker(["compose", "--profile", "monitoring", "config", "--format", "json"]);

  const { services }: { services: Record<string, unknown> } = JSON.parse(text);
  expect(Object.keys(services)).toEqual(expect.arrayContaining(["prometheus", "grafana"]));
});
