import { pino } from "pino";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import { EVENT_MESSAGES, EVENT_TRIGGERS } from "./event-messages.ts";
import { openLineSink } from "./line-sink.ts";
import type { SinkTrouble } from "./line-sink.ts";
import { isoUtc } from "./log-time.ts";

/** What happens to servers, pools, groups and the gateway itself: one JSON line each. */
export interface EventLog {
  /** `config`: the number of the one in service. */
  write(event: GatewayEvent, config: number): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** After a rotation: goes on in a new file of the same name. */
  reopen(): void;
  /** Resolves when all lines are written, after 2 s at the latest. */
  close(): Promise<void>;
}

export interface EventLogConfig {
  /** `stdout`, `stderr` or a path. */
  readonly file: string;
  readonly level: "debug" | "info" | "warn" | "error";
}

/** Throws where the file cannot be opened. */
export function openEventLog(config: EventLogConfig, clock: Clock = systemClock): EventLog {
  const sink = openLineSink({
    file: config.file,
    clock,
    flushMs: 0,
    recoveryLine: (trouble) => recoveryLine(trouble, clock.wall()),
  });
  const log = pino(
    {
      level: config.level,
      base: {},
      messageKey: "message",
      timestamp: () => `,"time":"${isoUtc(clock.wall())}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => sink.write(line.trimEnd()) },
  );
  return {
    write({ type, ...fields }, config) {
      const trigger = EVENT_TRIGGERS[type];
      log[LEVELS[type]]({ event: type, trigger, config, ...fields }, EVENT_MESSAGES[type]);
    },
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  };
}

const LEVELS = {
  "server-suspect": "warn",
  "server-down": "warn",
  "server-up": "info",
  "server-unresolved": "warn",
  "server-starting": "info",
  "pool-down": "error",
  "pool-up": "info",
  failover: "warn",
  failback: "info",
  switched: "info",
  drained: "info",
  held: "info",
  resumed: "info",
  "maintenance-began": "info",
  "maintenance-ended": "info",
  "split-changed": "info",
  "standby-booting": "info",
  "standby-ready": "info",
  "standby-failed": "error",
  "standby-asleep": "info",
  "admin-changed": "info",
  "switch-refused": "warn",
  "switch-proved": "info",
  "rolled-back": "warn",
  "drill-began": "info",
  "drill-ended": "info",
  "group-created": "info",
  "group-changed": "info",
  "group-deleted": "info",
  "hook-ran": "info",
  "hook-failed": "error",
  "error-rate-high": "error",
  "error-rate-normal": "info",
  "latency-high": "warn",
  "latency-normal": "info",
  "slo-burning": "error",
  "slo-calm": "info",
  "alert-failed": "error",
  "state-unreadable": "error",
  "state-unwritable": "error",
  "state-written": "info",
  "all-down": "error",
  "group-recovered": "info",
  reloaded: "info",
  "reload-rejected": "error",
  "worker-crashed": "error",
  "worker-crash-loop": "error",
  "worker-started": "info",
  restarted: "info",
  "restart-failed": "error",
} as const satisfies Record<GatewayEvent["type"], "info" | "warn" | "error">;

function recoveryLine({ code, dropped }: SinkTrouble, now: number): string {
  const fields = { level: "warn", time: isoUtc(now), dropped, code };
  return JSON.stringify({ ...fields, message: "event log lines dropped" });
}
