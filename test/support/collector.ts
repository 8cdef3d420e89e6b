import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { until } from "./until.ts";

/**
 * ExportTraceServiceRequest as JSON, nothing beside what opentelemetry-proto 1.x names:
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
const traceId = z.string().regex(/^[\da-f]{32}$/);
const spanId = z.string().regex(/^[\da-f]{16}$/);
/** fixed64 is a decimal string in ProtoJSON; a number is taken as well. */
const nanos = z.union([z.string().regex(/^\d{19}$/), z.number()]);
const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]) }),
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
  events: z.array(z.never()).optional(),
  droppedEventsCount: count,
  links: z.array(z.never()).optional(),
  droppedLinksCount: count,
  status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
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

/** Takes OTLP over HTTP as JSON, as a collector does, and nothing that does not fit its schema. */
export class Collector implements AsyncDisposable {
  readonly spans: TakenSpan[] = [];
  readonly resources: Readonly<Record<string, unknown>>[] = [];
  readonly fields: IncomingHttpHeaders[] = [];
  /** What did not fit. */
  readonly problems: string[] = [];
  /** What it answers. */
  status = 200;
  readonly #server = createServer((incoming, response) => {
    void text(incoming).then((body) => {
      this.fields.push(incoming.headers);
      if (this.status === 200) this.#take(incoming.url, incoming.headers, body);
      response.writeHead(this.status, { "Content-Type": "application/json" }).end("{}");
    });
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
    await until(() => found().length >= spans, `${spans} spans of ${id}`);
    return found().toSorted((one, other) =>
      one.kind === other.kind
        ? Number(BigInt(one.startTimeUnixNano) - BigInt(other.startTimeUnixNano))
        : one.kind - other.kind,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #take(path: string | undefined, fields: IncomingHttpHeaders, body: string): void {
    const parsed = request.safeParse(JSON.parse(body));
    if (path !== "/v1/traces" || fields["content-type"] !== "application/json") {
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

function takenOf(one: z.infer<typeof span>): TakenSpan {
  return { ...one, attributes: byName(one.attributes) };
}

function byName(list: z.infer<typeof attributes>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
