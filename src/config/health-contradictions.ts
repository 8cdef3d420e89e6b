import { parseDuration } from "./duration.ts";
import type { Finding } from "./issues.ts";
import { field, isRecord } from "./raw.ts";

type Path = readonly PropertyKey[];

/** Keys that only one kind of probe has. */
const KEYS_OF_KIND: Readonly<Record<string, readonly string[]>> = {
  http: ["path", "method", "host", "headers", "status", "body", "json", "release"],
  tcp: [],
  exec: ["command"],
};

/** What is wrong between the keys of a `health` that are each right. */
export function healthContradictions(path: Path, health: unknown): Finding[] {
  if (!isRecord(health)) return [];
  const kind = field(health, "kind") ?? "http";
  // A kind that there is not is told by the schema.
  if (typeof kind !== "string" || !Object.hasOwn(KEYS_OF_KIND, kind)) return [];
  return [
    ...foreignKeys(path, health, kind),
    ...(kind === "exec" && field(health, "command") === undefined
      ? [wrong(path, "kind exec needs a `command`, for example [/bin/check, --fast]")]
      : []),
    ...bodiesOfHead(path, health),
    ...slowHurry(path, health),
  ];
}

function foreignKeys(path: Path, health: unknown, kind: string): Finding[] {
  return Object.entries(KEYS_OF_KIND).flatMap(([owner, keys]) =>
    keys
      .filter((key) => owner !== kind && field(health, key) !== undefined)
      .map((key): Finding => {
        const message = `belongs to a probe of kind ${owner}; this one is ${kind}`;
        return { path: [...path, key], at: "key", message };
      }),
  );
}

function bodiesOfHead(path: Path, health: unknown): Finding[] {
  if (field(health, "method") !== "HEAD") return [];
  return ["body", "json"]
    .filter((key) => field(health, key) !== undefined)
    .map((key) => ({
      path: [...path, key],
      at: "key",
      message: "the answer to a HEAD has no body: write `method: GET`",
    }));
}

function slowHurry(path: Path, health: unknown): Finding[] {
  const fast = parseDuration(field(health, "fast_interval"));
  const interval = parseDuration(field(health, "interval") ?? "2s");
  if (!fast.ok || !interval.ok || fast.value <= interval.value) return [];
  return [wrong([...path, "fast_interval"], "is longer than `interval`")];
}

function wrong(path: Path, message: string): Finding {
  return { path, at: "value", message };
}
