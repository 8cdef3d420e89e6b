import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";
import protobuf from "protobufjs";
import { z } from "zod";
import { until } from "./until.ts";

/**
 * ExportTraceServiceRequest, nothing beside what opentelemetry-proto 1.x names:
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
const REQUEST = protobuf
  .parse(
    `syntax = "proto3";
    message Request { repeated ResourceSpans resource_spans = 1; }
    message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
    message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
    message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
    message Scope { string name = 1; string version = 2; }
    message Span {
      bytes trace_id = 1;
      bytes span_id = 2;
      string trace_state = 3;
      bytes parent_span_id = 4;
      fixed32 flags = 16;
      string name = 5;
      uint32 kind = 6;
      fixed64 start_time_unix_nano = 7;
      fixed64 end_time_unix_nano = 8;
      repeated KeyValue attributes = 9;
      uint32 dropped_attributes_count = 10;
      uint32 dropped_events_count = 12;
      uint32 dropped_links_count = 14;
      Status status = 15;
    }
    message Status { string message = 2; uint32 code = 3; }
    message KeyValue { string key = 1; AnyValue value = 2; }
    message AnyValue {
      oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
    }`,
  )
  .root.lookupType("Request");

// What the schema does not name is kept, to be found.
protobuf.Reader.discardUnknown = false;

const hex = (bytes: number) =>
  z
    .instanceof(Uint8Array)
    .refine((id) => id.length === bytes)
    .transform((id) => Buffer.from(id).toString("hex"));
const traceId = hex(16);
const spanId = hex(8);
const nanos = z.string().regex(/^\d{19}$/);
const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().transform(Number) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: anyValue }));
const count = z.int().min(0).optional();
const span = z.strictObject({
  traceId,
  spanId,
  traceState: z.string().optional(),
  parentSpanId: spanId.optional(),
  flags: z.int().optional(),
  name: z.string().min(1),
  kind: z.int().min(0).max(5),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  droppedAttributesCount: count,
  droppedEventsCount: count,
  droppedLinksCount: count,
  status: z.strictObject({
    code: z.int().min(0).max(2).prefault(0),
    message: z.string().optional(),
  }),
});
const request = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes, droppedAttributesCount: count }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string().optional() }),
          spans: z.array(span),
          schemaUrl: z.string().optional(),
        }),
      ),
      schemaUrl: z.string().optional(),
    }),
  ),
});

/** A span, its attributes by name. */
export interface TakenSpan extends Omit<z.infer<typeof span>, "attributes"> {
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Takes OTLP over HTTP, as a collector does, and nothing that does not fit its schema. */
export class Collector implements AsyncDisposable {
  readonly spans: TakenSpan[] = [];
  readonly resources: Readonly<Record<string, unknown>>[] = [];
  readonly fields: IncomingHttpHeaders[] = [];
  /** What did not fit. */
  readonly problems: string[] = [];
  /** What it answers; undefined = nothing, before release(). */
  status: number | undefined = 200;
  readonly #held: (() => void)[] = [];
  readonly #server = createServer((incoming, response) => {
    const answer = (body: Buffer): void => {
      if (this.status === undefined) return void this.#held.push(() => answer(body));
      if (this.status === 200) this.#take(incoming.url, incoming.headers, body);
      response.writeHead(this.status, { "Content-Type": "application/x-protobuf" }).end();
    };
    const onBody = (body: Buffer): void => {
      this.fields.push(incoming.headers);
      answer(body);
    };
    // Broken off = not taken.
    buffer(incoming).then(onBody, () => {});
  });

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get url(): string {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return `http://127.0.0.1:${port}/v1/traces`;
  }

  /** The spans of a trace, once there are so many: the exchange first, then its attempts in order. */
  async trace(id: string, spans: number): Promise<readonly TakenSpan[]> {
    const found = (): readonly TakenSpan[] => this.spans.filter((one) => one.traceId === id);
    await until(() => {
      if (this.problems.length > 0) throw new Error(this.problems.join("\n"));
      return found().length >= spans;
    }, `${spans} spans of ${id}`);
    return found().toSorted((one, other) =>
      one.kind === other.kind
        ? Number(BigInt(one.startTimeUnixNano) - BigInt(other.startTimeUnixNano))
        : one.kind - other.kind,
    );
  }

  /** Answers those that it left without an answer. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #take(path: string | undefined, fields: IncomingHttpHeaders, body: Buffer): void {
    const message = REQUEST.decode(body);
    if (holdsUnknown(message)) this.problems.push("there is more than the schema names");
    const parsed = request.safeParse(REQUEST.toObject(message, { longs: String }));
    if (path !== "/v1/traces" || fields["content-type"] !== "application/x-protobuf") {
      this.problems.push(`${path} ${fields["content-type"]}`);
    }
    if (!parsed.success) return void this.problems.push(z.prettifyError(parsed.error));
    for (const { resource, scopeSpans } of parsed.data.resourceSpans) {
      this.resources.push(byName(resource.attributes));
      for (const { spans } of scopeSpans) {
        this.spans.push(...spans.map(takenOf));
      }
    }
  }
}

function holdsUnknown(message: object): boolean {
  if ("$unknowns" in message) return true;
  return Object.values(message).some(
    (part) => typeof part === "object" && part !== null && holdsUnknown(part),
  );
}

function takenOf(one: z.infer<typeof span>): TakenSpan {
  return { ...one, attributes: byName(one.attributes) };
}

function byName(list: z.infer<typeof attributes>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
