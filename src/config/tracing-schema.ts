import { z } from "zod";
import type { TracerConfig } from "../tracing/tracer.ts";
import { url } from "./action-schema.ts";
import { object, part, text } from "./schema-parts.ts";

/** Where the spans of exchanges go. */
export const tracing = object({
  otlp: url.describe(
    "A collector that takes OTLP over HTTP (protobuf): `http://collector:4318/v1/traces`.",
  ),
  headers: z
    .record(text, text)
    .prefault({})
    .describe("Header fields for the collector, a key of its provider for example."),
  service_name: text.prefault("understudy").describe("What the gateway is called in traces."),
  sample: part
    .prefault("1%")
    .describe(
      "The part of the traces that is recorded, where no `traceparent` of the client says whether to.",
    ),
}).transform(({ otlp, headers, service_name, sample }): TracerConfig => ({
  url: otlp,
  headers,
  serviceName: service_name,
  sample,
}));
