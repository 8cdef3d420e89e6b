import type { ExchangeRecord } from "../events.ts";
import type { SinkTrouble } from "./line-sink.ts";
import { ecsMissing, formatEcs } from "./log-ecs.ts";
import { formatJson } from "./log-json.ts";
import { formatLogfmt } from "./log-logfmt.ts";
import { formatOtlp, otlpMissing } from "./log-otlp.ts";
import { compileTemplate } from "./log-template.ts";
import { isoUtc } from "./log-time.ts";

/** How a log writes its lines, without their ends. */
export interface LogFormat {
  readonly exchange: (record: ExchangeRecord) => string;
  /** The line that tells, at a time, how many are missing. */
  readonly missing: (trouble: SinkTrouble, now: number) => string;
}

/** By a name of `LOG_FORMATS`, else a template; throws where that names an unknown variable. */
export function logFormatOf(format: string): LogFormat {
  const known = FORMATS.get(format);
  if (known !== undefined) return known;
  const template = compileTemplate(format);
  if (!template.ok) throw new Error(`access_log.format: unknown variable "${template.unknown}"`);
  return {
    exchange: template.format,
    missing: ({ code, dropped }, now) => `[${isoUtc(now)}] ${MISSING}: ${dropped} (${code})`,
  };
}

const MISSING = "access log lines dropped";

const FORMATS: ReadonlyMap<string, LogFormat> = new Map([
  [
    "json",
    {
      exchange: formatJson,
      missing: ({ code, dropped }, now) =>
        JSON.stringify({ time: isoUtc(now), message: MISSING, dropped, code }),
    },
  ],
  [
    "logfmt",
    {
      exchange: formatLogfmt,
      missing: ({ code, dropped }, now) =>
        `time=${isoUtc(now)} level=error msg="${MISSING}" dropped=${dropped} code=${code}`,
    },
  ],
  [
    "ecs",
    {
      exchange: formatEcs,
      missing: ({ code, dropped }, now) => ecsMissing(message(dropped, code), now),
    },
  ],
  [
    "otel",
    {
      exchange: formatOtlp,
      missing: ({ code, dropped }, now) => otlpMissing(message(dropped, code), now),
    },
  ],
]);

function message(dropped: number, code: string): string {
  return `${MISSING}: ${dropped} (${code})`;
}
