import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { Client, interceptors, request, type RetryHandler } from "undici";
import { spansOf } from "./spans.ts";
import type { SpanSender, TracerConfig } from "./tracer.ts";

/** How long one sending may take, its repetitions with it, in milliseconds. */
const SEND_MS = 10_000;
/** https://opentelemetry.io/docs/specs/otlp/#failures-1 */
const RETRIES: RetryHandler.RetryOptions = {
  methods: ["POST"],
  statusCodes: [429, 502, 503, 504],
  // After 0.5, 1 and 2 s, where it does not say when.
  maxRetries: 3,
  throwOnError: false,
};
const NOTHING = new Uint8Array();

/** Loaded only where tracing is on: OpenTelemetry's packages take their time and memory. */
export function openSender({ url, headers, serviceName }: TracerConfig): SpanSender {
  const resource = resourceFromAttributes({ "service.name": serviceName });
  const client = new Client(new URL(url).origin);
  const dispatcher = client.compose(interceptors.retry(RETRIES));
  return {
    encode: (batch) => {
      const spans = batch.flatMap((ended) => spansOf(ended, resource));
      return ProtobufTraceSerializer.serializeRequest(spans) ?? NOTHING;
    },
    send: async (body) => {
      const { statusCode, body: answer } = await request(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/x-protobuf" },
        body,
        signal: AbortSignal.timeout(SEND_MS),
        dispatcher,
      });
      await answer.dump();
      const isTaken = statusCode >= 200 && statusCode < 300;
      return isTaken ? undefined : `the collector answered ${statusCode}`;
    },
    close: () => client.destroy(),
  };
}
