import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { EventLogConfig } from "../../../src/observe/event-log.ts";
import { openEventLog } from "../../../src/observe/event-log.ts";

const WALL = Date.UTC(2026, 10, 21, 3, 10, 8, 123);
const time = "2026-11-21T03:10:08.123Z";

async function linesAt(level: EventLogConfig["level"]): Promise<unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), "event-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "events.log");
  const log = openEventLog({ file, level }, { ...systemClock, wall: () => WALL });

  const server = { group: "app", pool: "blue", server: "app_blue:3000" };
  log.write({ type: "server-down", ...server, reason: "refused" }, 3);
  log.write(
    { type: "failover", group: "app", from: "blue", to: "green", reason: "blue is down" },
    3,
  );
  log.write({ type: "all-down", group: "app", reason: "green\nis down too" }, 3);
  log.info({ addresses: ["127.0.0.1:8080"] }, "ready");
  await log.close();

  const text = readFileSync(file, "utf8");
  return text === ""
    ? []
    : text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
}

const allDown = {
  level: "error",
  time,
  event: "all-down",
  trigger: "auto",
  config: 3,
  group: "app",
  reason: "green\nis down too",
  message: "no server available",
};

test("a state change is one line: the message constant, the facts in fields", async () => {
  expect(await linesAt("info")).toEqual([
    {
      level: "warn",
      time,
      event: "server-down",
      trigger: "auto",
      config: 3,
      group: "app",
      pool: "blue",
      server: "app_blue:3000",
      reason: "refused",
      message: "server down",
    },
    {
      level: "warn",
      time,
      event: "failover",
      trigger: "auto",
      config: 3,
      group: "app",
      from: "blue",
      to: "green",
      reason: "blue is down",
      message: "backup took over",
    },
    allDown,
    { level: "info", time, addresses: ["127.0.0.1:8080"], message: "ready" },
  ]);
});

test("less than the configured level is left out", async () => {
  expect(await linesAt("error")).toEqual([allDown]);
});
