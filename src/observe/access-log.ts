import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { AccessLogConfig } from "../config/config.ts";
import type { ExchangeRecord } from "../events.ts";
import { openLineSink } from "./line-sink.ts";
import type { SinkTrouble } from "./line-sink.ts";
import { logFilter } from "./log-filter.ts";
import { logFormatOf } from "./log-formats.ts";
import { redactor } from "./log-redaction.ts";

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
  /** Numbers from 0 to below 1, for `sample`. */
  readonly random?: () => number;
  /** Called when lines can no longer be written; the log itself tells how many are missing. */
  readonly onTrouble?: (trouble: SinkTrouble) => void;
}

/** Throws where the file cannot be opened or the format names an unknown variable. */
export function openAccessLog(config: AccessLogConfig, options: AccessLogOptions = {}): AccessLog {
  const { clock = systemClock, random = Math.random, onTrouble } = options;
  const format = logFormatOf(config.format);
  const sink = openLineSink({
    file: config.file,
    clock,
    flushMs: FLUSH_MS,
    recoveryLine: (trouble) => format.missing(trouble, clock.wall()),
    onTrouble,
  });
  return {
    write: writerOf(config, random, (record) => sink.write(format.exchange(record))),
    reopen: () => sink.reopen(),
    flush: () => sink.flush(),
    close: () => sink.close(),
  };
}

const FLUSH_MS = 100;

type Write = (record: ExchangeRecord) => void;

/** What is configured costs a call each, what is not costs none. */
function writerOf({ redact, skip, sample }: AccessLogConfig, random: () => number, write: Write) {
  let writer = write;
  if (redact !== undefined) {
    const redacted = redactor(redact);
    writer = (record) => write(redacted(record));
  }
  if (skip === undefined && sample === undefined) return writer;
  const isWanted = logFilter({ skip: skip ?? [], sample: sample ?? 1 }, random);
  return (record: ExchangeRecord) => {
    if (isWanted(record)) writer(record);
  };
}
