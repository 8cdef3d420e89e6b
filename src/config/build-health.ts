import type { ProbeRules } from "../failover/spec.ts";
import type { HealthConfig, ProbeAsk } from "./config.ts";
import type { ParsedGroup } from "./schema.ts";

type WrittenHealth = Exclude<ParsedGroup["health"], "off" | undefined>;

/** The least of `fast_interval` where it is not written, in milliseconds. */
const LEAST_FAST_MS = 250;

/** How each pool is probed: by its own `health`, else by the group's. */
export function healthOf({ health, pools }: ParsedGroup): ReadonlyMap<string, HealthConfig> {
  return new Map(
    Object.entries(pools).flatMap(([name, pool]) => {
      const written = pool.health ?? health ?? "off";
      return written === "off" ? [] : [[name, configOf(written)] as const];
    }),
  );
}

function configOf(written: WrittenHealth): HealthConfig {
  return { ask: askOf(written), timeoutMs: written.timeout, rules: rulesOf(written) };
}

function rulesOf(written: WrittenHealth): ProbeRules {
  const { interval, fast_interval, jitter, rise, fall, initial } = written;
  const quarter = Math.min(interval, Math.max(LEAST_FAST_MS, interval / 4));
  return {
    intervalMs: interval,
    fastIntervalMs: fast_interval ?? quarter,
    jitter,
    rise,
    fall,
    gate: initial === "probe",
  };
}

function askOf(written: WrittenHealth): ProbeAsk {
  const { kind, method, path, host, headers, status, body, json, release, command } = written;
  switch (kind) {
    case "tcp":
      return { kind };
    case "exec":
      return { kind, command: command ?? [] };
    case "http":
      return { kind, method, path, host, headers, statuses: status, body, json, release };
  }
}
