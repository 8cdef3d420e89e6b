import { expect, test } from "vitest";
import { type MetricFacts, Metrics } from "../../../src/observe/metrics.ts";
import { TrafficTally } from "../../../src/observe/traffic-tally.ts";
import { exchangeRecord } from "../../support/exchange-records.ts";
import { readProjectFile } from "../../support/source-files.ts";

const USE = { cpuSeconds: 1, busySeconds: 2, residentBytes: 3, delayMs: 4 };
const SERVER = { group: "app", pool: "blue", server: "blue:1" };

test("docs/metrics.md tells every metric with its type and labels, and no other", async () => {
  const tally = new TrafficTally();
  tally.count(exchangeRecord());
  const metrics = new Metrics("1.2.3", () => factsOf(tally));

  const text = await metrics.text();

  const types = Array.from(text.matchAll(/^# TYPE (understudy_\S+) (\w+)$/gm));
  const told = types.map(([, name = "", type]) => ({ name, type, labels: labelsOf(text, name) }));
  expect(documented()).toEqual(told.sort(byName));
});

function documented() {
  const row = /^\| `(understudy_\w+)` \| (\w+) \| (.*?) \|/gm;
  const rows = Array.from(readProjectFile("docs/metrics.md").matchAll(row));
  return rows
    .map(([, name = "", type, labels = ""]) => ({
      name,
      type,
      labels: Array.from(labels.replaceAll(/\(.*?\)/g, "").matchAll(/`(\w+)`/g), ([, one]) => one),
    }))
    .sort(byName);
}

/** Of its first series. */
function labelsOf(text: string, name: string) {
  const [, labels = ""] = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, "m").exec(text) ?? [];
  return Array.from(labels.matchAll(/(\w+)="/g), ([, one]) => one);
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}

function factsOf({ all }: TrafficTally): MetricFacts {
  return {
    config: { number: 1, hash: "a1b2" },
    reloads: { ok: 0, failed: 0 },
    workers: [{ slot: 0, state: "serving", crashes: 0, use: USE }],
    connections: 0,
    uncountedMs: 0,
    groups: [
      {
        group: "app",
        waiting: 0,
        promises: [{ objective: "latency", target: 0.99, budgetLeft: 0.4 }],
      },
    ],
    traffic: all,
    pools: [{ group: "app", pool: "blue", isActive: true, isAsleep: false }],
    servers: [{ ...SERVER, isUp: true, isAvailable: true, strikes: 0, inFlight: 0, tunnels: 0 }],
  };
}
