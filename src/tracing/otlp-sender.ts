import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import type { ExchangeRecord } from "../events.ts";
import { type Moment, spansOf } from "./spans.ts";
import type { SpanSender, TracerConfig } from "./tracer.ts";

/** How long spans wait for company, how many at most, and how long one sending may take. */
const BATCH = {
  scheduledDelayMillis: 1_000,
  maxQueueSize: 8_192,
  maxExportBatchSize: 512,
  exportTimeoutMillis: 10_000,
};

/** Loaded only where tracing is on: OpenTelemetry's packages take their time and memory. */
export function openSender(
  { url, headers, serviceName }: TracerConfig,
  onSent: (trouble: string | undefined) => void,
): SpanSender {
  const resource = resourceFromAttributes({ "service.name": serviceName });
  // One connection a second at the most, and none that is left open at the end.
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, keepAlive: false });
  const exporterAndNews = tellsOf(exporter, onSent);
  const processor = new BatchSpanProcessor({ exporter: exporterAndNews, ...BATCH });
  return {
    send: (record: ExchangeRecord, at: Moment) => {
      const { trace } = record;
      if (trace === undefined) return;
      for (const span of spansOf(record, trace, resource, at)) processor.onEnd(span);
    },
    close: () => processor.shutdown(),
  };
}

/** The same exporter, which tells what came of each batch. */
function tellsOf(
  exporter: OTLPTraceExporter,
  onSent: (trouble: string | undefined) => void,
): SpanExporter {
  return {
    export: (spans: ReadableSpan[], done) => {
      exporter.export(spans, (result) => {
        onSent(result.error?.message);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
