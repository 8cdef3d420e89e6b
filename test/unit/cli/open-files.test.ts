import { expect, test } from "vitest";
import { openFilesWarning, readLimits } from "../../../src/cli/open-files.ts";
import type { Config } from "../../../src/config/config.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";

function configOf(
  connections: number,
  listen: readonly string[] = ["127.0.0.1:8080"],
  workers = 0,
): Config {
  const text = JSON.stringify({
    listen,
    workers,
    limits: { connections },
    groups: {
      app: {
        pools: { blue: "http://127.0.0.1:3001", green: "http://127.0.0.1:3002" },
        keepalive: { max_idle: 50 },
      },
    },
  });
  const parsed = parseConfig(text, { file: "test.yaml", env: {}, readText: (path) => path });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

function limitsOf(soft: number | string): string {
  return [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             96364                96364                processes ",
    `Max open files            ${String(soft).padEnd(20)} ${String(soft).padEnd(20)} files     `,
    "Max locked memory         8388608              8388608              bytes     ",
  ].join("\n");
}

test("a limit that is too low for all clients is told with what would be right", () => {
  expect(openFilesWarning(configOf(10_000), limitsOf(1024))).toBe(
    "the limit of open files is 1024, but 10000 clients may need 20200: " +
      "raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=), or set limits.connections to 412",
  );
});

test("every address has its clients", () => {
  const config = configOf(1000, ["127.0.0.1:8080", "127.0.0.1:8081"]);

  expect(openFilesWarning(config, limitsOf(4199))).toContain("but 2000 clients may need 4200");
});

test("every worker has its clients, and its own limit of open files", () => {
  const config = configOf(10_000, ["127.0.0.1:8080"], 4);

  expect(openFilesWarning(config, limitsOf(1024))).toBe(
    "the limit of open files is 1024, but 10000 clients of a worker may need 20200: " +
      "raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=), or set limits.connections to 412",
  );
});

test("where hardly anything can be open there is no advice to have fewer clients", () => {
  expect(openFilesWarning(configOf(10), limitsOf(200))).toBe(
    "the limit of open files is 200, but 10 clients may need 220: " +
      "raise it (ulimit -n, LimitNOFILE=, --ulimit nofile=)",
  );
});

test.each<[what: string, connections: number, limits: string | undefined]>([
  ["just enough", 1000, limitsOf(2200)],
  ["none", 10_000, limitsOf("unlimited")],
  ["unknown", 10_000, undefined],
  ["not told", 10_000, "Max processes 1 1"],
  ["too low for clients without a limit", 0, limitsOf(256)],
])("a limit that is %s is no matter", (_, connections, limits) => {
  expect(openFilesWarning(configOf(connections), limits)).toBe(undefined);
});

test("the system tells the limit of this process", () => {
  expect(readLimits()).toMatch(/^Max open files +\d+/m);
});
