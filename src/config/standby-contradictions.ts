import type { Finding } from "./issues.ts";
import { entriesOf, field, isRecord } from "./raw.ts";

const KEYS = ["start", "stop", "boot_timeout", "stop_after"] as const;

/** What is wrong between the keys of cold standbys that are each right. */
export function standbyContradictions(name: string, group: unknown): Finding[] {
  const pools = entriesOf(field(group, "pools"));
  const primary = field(group, "primary") ?? pools[0]?.[0];
  return pools.flatMap(([pool, written]) => {
    if (!isRecord(written)) return [];
    const path = ["groups", name, "pools", pool];
    if (field(written, "standby") !== "cold") return foreignKeys(path, written);
    const health = field(written, "health") ?? field(group, "health");
    const findings: Finding[] = [];
    const wrong = (message: string, key: string): void => {
      findings.push({ path: [...path, key], at: "value", message });
    };
    if (pool === primary) wrong("the primary pool serves: only another one can be cold", "standby");
    if (field(written, "start") === undefined) {
      wrong(
        "a cold standby needs a `start`, for example { exec: [/usr/local/bin/start-green] }",
        "standby",
      );
    }
    if (health === undefined || health === "off") {
      wrong("a cold standby needs `health`: a probe tells when it has booted", "standby");
    }
    return findings;
  });
}

function foreignKeys(path: readonly string[], written: unknown): Finding[] {
  return KEYS.filter((key) => field(written, key) !== undefined).map((key) => ({
    path: [...path, key],
    at: "key",
    message: "belongs to a cold standby: write `standby: cold` beside it",
  }));
}
