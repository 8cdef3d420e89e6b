import type { GatewayEvent } from "../events.ts";
import type { Fact, Level, Rule, Signal } from "./alert.ts";

/** What is known of a pool beside the event: `green (release v2, 127.0.0.1:3002)`. */
export interface PoolFacts {
  readonly release: string | undefined;
  /** Of its servers. */
  readonly addresses: readonly string[];
  /** How long its last request took; undefined where nobody has looked. */
  readonly requestTimeMs?: number | undefined;
}

export type LookUpPool = (group: string, pool: string) => PoolFacts;

/** What there is to tell of an event. */
export function signalsOf(event: GatewayEvent, lookUp: LookUpPool): readonly Signal[] {
  switch (event.type) {
    case "failover":
      return [
        moved(event, lookUp, {
          rule: "failover",
          kind: "raise",
          level: "critical",
          title: `Failover detected: ${event.from} -> ${event.to}`,
        }),
      ];
    case "failback":
      return [
        moved(event, lookUp, {
          rule: "failover",
          kind: "clear",
          level: "good",
          title: `Recovery: back to ${event.to} (primary)`,
        }),
      ];
    case "switched":
      return [
        moved(event, lookUp, {
          rule: "switch",
          kind: "note",
          level: "info",
          title: `Switched: ${event.from} -> ${event.to}`,
        }),
        // Whatever had failed over before: this is where the operator wants it.
        moved(event, lookUp, {
          rule: "failover",
          kind: "clear",
          level: "good",
          title: `No failover any more: ${event.to} is the primary`,
        }),
      ];
    case "rolled-back":
      return [
        moved(event, lookUp, {
          rule: "switch",
          kind: "note",
          level: "warning",
          title: `Switch taken back: ${event.from} -> ${event.to}`,
        }),
      ];
    case "all-down":
      return [
        of("all-down", event, "raise", "critical", `No server of ${event.group} is available`),
      ];
    case "group-recovered":
      return [of("all-down", event, "clear", "good", `${event.group} serves again`)];
    case "pool-down":
      return [standby(event, "raise", "warning", `The standby ${event.pool} could not serve`)];
    case "pool-up":
      return [standby(event, "clear", "good", `The standby ${event.pool} could serve again`)];
    case "standby-failed":
      return [cold(event, "raise", "critical", `The cold standby ${event.pool} does not start`)];
    case "standby-ready":
      return [cold(event, "clear", "good", `The cold standby ${event.pool} has started`)];
    case "reload-rejected":
      return [
        of("reload", event, "raise", "warning", "Configuration rejected: the one before serves on"),
      ];
    case "reloaded":
      return [of("reload", event, "clear", "good", "Configuration accepted")];
    case "hook-failed":
      return [of("hook", event, "note", "warning", `The hook ${event.hook} failed`, event.hook)];
    case "worker-crash-loop":
      return [
        of(
          "worker",
          event,
          "raise",
          "critical",
          `Worker ${event.worker} crashes again and again`,
          String(event.worker),
        ),
      ];
    case "worker-started":
      return [
        of(
          "worker",
          event,
          "clear",
          "good",
          `Worker ${event.worker} serves again`,
          String(event.worker),
        ),
      ];
    case "state-unreadable":
      return [of("state", event, "note", "warning", "The state file was set aside", "unreadable")];
    case "state-unwritable":
      return [of("state", event, "raise", "warning", "The state file cannot be written")];
    case "state-written":
      return [of("state", event, "clear", "good", "The state file can be written again")];
    case "error-rate-high":
      return [
        measured("error-rate", event, "raise", "critical", `High error rate of ${event.group}`),
      ];
    case "error-rate-normal":
      return [
        measured("error-rate", event, "clear", "good", `Error rate of ${event.group} is normal`),
      ];
    case "latency-high":
      return [measured("latency", event, "raise", "warning", `${event.group} is slow`)];
    case "latency-normal":
      return [measured("latency", event, "clear", "good", `${event.group} is fast enough again`)];
    case "slo-burning":
      return [
        measured(
          "slo",
          event,
          "raise",
          event.speed === "fast" ? "critical" : "warning",
          `The error budget of ${event.group} burns ${event.speed === "fast" ? "fast" : "slowly, but too fast"} (${event.objective})`,
          `${event.objective} ${event.speed}`,
        ),
      ];
    case "slo-calm":
      return [
        measured(
          "slo",
          event,
          "clear",
          "good",
          `The error budget of ${event.group} burns no more (${event.objective})`,
          `${event.objective} ${event.speed}`,
        ),
      ];
    // Steps on the way, and what somebody has just done and knows.
    case "admin-changed":
    case "alert-failed":
    case "drained":
    case "drill-began":
    case "drill-ended":
    case "group-changed":
    case "group-created":
    case "group-deleted":
    case "held":
    case "hook-ran":
    case "maintenance-began":
    case "maintenance-ended":
    case "restart-failed":
    case "restarted":
    case "resumed":
    case "server-down":
    case "server-starting":
    case "server-suspect":
    case "server-unresolved":
    case "server-up":
    case "split-changed":
    case "standby-asleep":
    case "standby-booting":
    case "switch-proved":
    case "switch-refused":
    case "worker-crashed":
      return [];
  }
}

type Moved = Extract<GatewayEvent, { readonly from: string }>;
type OfPool = { readonly group: string; readonly pool: string; readonly reason: string };
type Head = Pick<Signal, "rule" | "kind" | "level" | "title">;

function moved(event: Moved, lookUp: LookUpPool, head: Head): Signal {
  const { group, to, reason } = event;
  const { release, addresses, requestTimeMs } = lookUp(group, to);
  const facts: Fact[] = [
    { label: "Group", value: group },
    { label: "Serves now", value: to },
    ...(release === undefined ? [] : [{ label: "Release", value: release }]),
    { label: "Upstream", value: addresses.join(", ") },
    ...(requestTimeMs === undefined
      ? []
      : [{ label: "Request time", value: `${requestTimeMs / 1_000} s` }]),
    { label: "Reason", value: reason },
  ];
  return { ...head, key: `${head.rule} ${group}`, group, facts };
}

function standby(event: OfPool, kind: Signal["kind"], level: Level, title: string): Signal {
  return of("standby", event, kind, level, `${title} ${event.group}`, event.pool);
}

function cold(event: OfPool, kind: Signal["kind"], level: Level, title: string): Signal {
  return of("standby", event, kind, level, title, `${event.pool} start`);
}

function measured(
  rule: "error-rate" | "latency" | "slo",
  { group, observed, threshold }: Extract<GatewayEvent, { readonly observed: string }>,
  kind: Signal["kind"],
  level: Level,
  title: string,
  about = "",
): Signal {
  const facts = [
    { label: "Group", value: group },
    { label: "Observed", value: observed },
    { label: "Threshold", value: threshold },
  ];
  const key = [rule, group, about].filter((part) => part !== "").join(" ");
  return { rule, key, group, kind, level, title, facts };
}

/** `about`: what tells it from others of its rule and group. */
function of(
  rule: Rule,
  event: { readonly reason: string; readonly group?: string },
  kind: Signal["kind"],
  level: Level,
  title: string,
  about = "",
): Signal {
  const { group, reason } = event;
  const key = [rule, group ?? "", about].filter((part) => part !== "").join(" ");
  const facts = [
    ...(group === undefined ? [] : [{ label: "Group", value: group }]),
    ...(reason === "" ? [] : [{ label: "Reason", value: reason }]),
  ];
  return { rule, key, group, kind, level, title, facts };
}
