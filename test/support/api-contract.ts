import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";

const described = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        parameters: z.array(z.object({ name: z.string(), in: z.string() })).optional(),
        requestBody: z.unknown().optional(),
        responses: z.record(
          z.string(),
          z.looseObject({ content: z.record(z.string(), z.object({ schema: z.unknown() })) }),
        ),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

/** One path and method of the description. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** `/api/v1/groups/{group}` */
  readonly path: string;
  readonly statuses: readonly string[];
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

/** What the admin API says of itself, to hold its answers against. */
export class ApiContract {
  readonly operations: readonly Operation[];
  readonly #document: z.infer<typeof described>;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: unknown) {
    this.#document = described.parse(document);
    this.operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, responses }]) => ({
        id: operationId,
        method: method.toUpperCase(),
        path,
        statuses: Object.keys(responses),
      })),
    );
  }

  operation(id: string): Operation {
    const found = this.operations.find((operation) => operation.id === id);
    if (found === undefined) throw new Error(`the description has no operation ${id}`);
    return found;
  }

  /** What of an answer is not as described; keys that the description does not have count as wrong. */
  mistakesIn({ path, method }: Operation, { status, type, body }: Answered): readonly string[] {
    const responses = this.#document.paths[path]?.[method.toLowerCase()]?.responses;
    const response = responses?.[status];
    if (response === undefined) return [`${method} ${path}: ${status} is not described`];
    const essence = type.split(";", 1)[0] ?? "";
    const schema = response.content[essence]?.schema;
    if (schema === undefined) return [`${method} ${path}: ${status} with ${type} is not described`];
    const validate = this.#ajv.compile({ ...this.#closed(schema), components: this.#components() });
    if (validate(body)) return [];
    return [`${method} ${path}: ${status}: ${this.#ajv.errorsText(validate.errors)}`];
  }

  #components() {
    return { schemas: this.#closed(this.#document.components.schemas) };
  }

  #closed(schema: unknown): Record<string, unknown> {
    const closed = close(schema);
    return typeof closed === "object" && closed !== null ? { ...closed } : {};
  }
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== "object" || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, close(part)]));
  const isOpen = inner["type"] === "object" && "properties" in inner;
  return isOpen ? { additionalProperties: false, ...inner } : inner;
}
