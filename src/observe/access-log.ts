import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { AccessLogConfig } from "../config/config.ts";
import type { ExchangeRecord } from "../events.ts";
import { openLineSink } from "./line-sink.ts";
import type { SinkTrouble } from "./line-sink.ts";
import { formatJson } from "./log-json.ts";
import { compileTemplate } from "./log-template.ts";
import { isoUtc } from "./log-time.ts";

/** One line per exchange. No trouble of the log ever reaches its caller. */
export interface AccessLog {
  write(record: ExchangeRecord): void;
  /** After a rotation: goes on in a new file of the same name. */
  reopen(): void;
  flush(): void;
  /** Resolves when all lines are written, after 2 s at the latest. */
  close(): Promise<void>;
}

export interface AccessLogOptions {
  readonly clock?: Clock;
  /** Called when lines can no longer be written; the log itself tells how many are missing. */
  readonly onTrouble?: (trouble: SinkTrouble) => void;
}

/** Throws where the file cannot be opened or the format names an unknown variable. */
export function openAccessLog(config: AccessLogConfig, options: AccessLogOptions = {}): AccessLog {
  const clock = options.clock ?? systemClock;
  const format = formatOf(config.format);
  const sink = openLineSink({
    file: config.file,
    clock,
    flushMs: FLUSH_MS,
    recoveryLine: (trouble) => recoveryLine(config.format, trouble, clock.wall()),
    onTrouble: options.onTrouble,
  });
  return {
    write: (record) => sink.write(format(record)),
    reopen: () => sink.reopen(),
    flush: () => sink.flush(),
    close: () => sink.close(),
  };
}

const FLUSH_MS = 100;

function formatOf(format: string): (record: ExchangeRecord) => string {
  if (format === "json") return formatJson;
  const template = compileTemplate(format);
  if (template.ok) return template.format;
  throw new Error(`access_log.format: unknown variable "${template.unknown}"`);
}

function recoveryLine(format: string, { code, dropped }: SinkTrouble, now: number): string {
  const message = "access log lines dropped";
  return format === "json"
    ? JSON.stringify({ time: isoUtc(now), message, dropped, code })
    : `[${isoUtc(now)}] ${message}: ${dropped} (${code})`;
}
