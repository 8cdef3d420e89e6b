import { pino } from "pino";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { GatewayEvent } from "../events.ts";
import { openLineSink } from "./line-sink.ts";
import type { SinkTrouble } from "./line-sink.ts";
import { isoUtc } from "./log-time.ts";

/** What happens to servers, pools, groups and the gateway itself: one JSON line each. */
export interface EventLog {
  write(event: GatewayEvent): void;
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
    write({ type, ...fields }) {
      log[LEVELS[type]]({ event: type, ...fields }, EVENT_MESSAGES[type]);
    },
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  };
}

/** The message of each event. */
export const EVENT_MESSAGES = {
  "server-suspect": "server suspect",
  "server-down": "server down",
  "server-up": "server up",
  "server-unresolved": "server name does not resolve",
  "server-starting": "server waits for its first probe",
  failover: "backup took over",
  failback: "primary serves again",
  switched: "primary switched",
  drained: "drain ended",
  "all-down": "no server available",
  "group-recovered": "group recovered",
  reloaded: "configuration reloaded",
  "reload-rejected": "configuration rejected: the one before serves on",
  "worker-crashed": "worker crashed",
  "worker-crash-loop": "worker crashes again and again",
  "worker-started": "worker serves again",
  restarted: "workers replaced",
  "restart-failed": "workers not replaced: those before serve on",
} as const satisfies Record<GatewayEvent["type"], string>;

const LEVELS = {
  "server-suspect": "warn",
  "server-down": "warn",
  "server-up": "info",
  "server-unresolved": "warn",
  "server-starting": "info",
  failover: "warn",
  failback: "info",
  switched: "info",
  drained: "info",
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
