import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "./admin-answer.ts";
import type { Route, Success } from "./admin-route.ts";
import { problemView } from "./api-schema.ts";

interface Json {
  readonly [key: string]: unknown;
}

type Components = Map<string, Json>;

const COMMON_PROBLEMS: readonly ProblemCode[] = ["FORBIDDEN", "INTERNAL"];

/** The admin API in OpenAPI 3.1: what `routes` say of themselves. */
export function openApiOf(routes: readonly Route[], version: string): object {
  const components: Components = new Map();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const operation = operationOf(route, components);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Understudy admin API",
      version,
      description:
        "What a gateway is doing, and orders to it. Every GET answers HEAD, too. Names are in snake_case, times are ISO 8601 in UTC.",
    },
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "Of `admin.token_file`, where it is set.",
        },
      },
    },
  };
}

function operationOf(route: Route, components: Components): Json {
  const { id, summary, body, others = {} } = route;
  const parameters = parametersOf(route, components);
  const successes = { 200: route.success, ...others };
  return {
    operationId: id,
    summary,
    security: route.isOpen === true ? [] : [{ token: [] }, {}],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: bodyOf(body, components) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(successes).map(([status, one]) => [status, answerOf(one, components)]),
      ),
      ...problemsOf(route, components),
    },
  };
}

/** What every order may have. */
const ORDER_HEADERS: readonly Json[] = [
  {
    name: "Idempotency-Key",
    in: "header",
    description: "With the same key the same order is carried out once, for an hour.",
    schema: { type: "string" },
  },
];
const GROUP_HEADERS: readonly Json[] = [
  {
    name: "If-Match",
    in: "header",
    description: "The ETag of the group: 412 where it has changed since.",
    schema: { type: "string" },
  },
];

function parametersOf({ method, path, query }: Route, components: Components): readonly Json[] {
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const wrapped = z.toJSONSchema(z.object({ it: schema }), INPUT);
    return { name, in: "query", schema: schemaOf(wrapped, components) };
  });
  const inHeader = method === "GET" ? [] : ORDER_HEADERS;
  const ofGroup = method !== "GET" && path.includes("{group}") ? GROUP_HEADERS : [];
  return [...inPath, ...inQuery, ...inHeader, ...ofGroup];
}

function bodyOf(body: z.ZodType, components: Components): Json {
  // Where every key may be missing, so may the body.
  const required = !body.safeParse({}).success;
  const schema = schemaOf(z.toJSONSchema(z.object({ it: body }), INPUT), components);
  return { required, content: { "application/json": { schema } } };
}

function answerOf({ says, type, schema }: Success, components: Components): Json {
  const content =
    schema === undefined
      ? { type: "string" }
      : schemaOf(z.toJSONSchema(z.object({ it: schema }), INPUT), components);
  return { description: says, content: { [type]: { schema: content } } };
}

/** By their status; one status can have several codes. */
function problemsOf(route: Route, components: Components): Readonly<Record<string, Json>> {
  const codes = new Set([...route.problems, ...impliedBy(route), ...COMMON_PROBLEMS]);
  const schema = schemaOf(z.toJSONSchema(z.object({ it: problemView }), INPUT), components);
  const content = { "application/problem+json": { schema } };
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    Array.from(byStatus, ([status, all]) => {
      const meanings = all.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`);
      return [status, { description: meanings.join(" "), content }];
    }),
  );
}

/** What comes of the form of a request alone. */
function impliedBy({ method, path, body, isOpen }: Route): readonly ProblemCode[] {
  const isApi = path.startsWith("/api/");
  return [
    ...(method === "GET" ? [] : (["KEY_REUSED"] as const)),
    ...(isOpen === true ? [] : (["UNAUTHORIZED"] as const)),
    ...(isApi || body !== undefined ? (["BAD_REQUEST"] as const) : []),
    ...(body === undefined ? [] : (["BODY_TOO_LARGE"] as const)),
  ];
}

/** What is taken in and given out is the same form: no answer has a default. */
const INPUT = { io: "input" } as const;

/** The schema under `it`; those with a name go to the components. */
function schemaOf(wrapped: z.core.JSONSchema.BaseSchema, components: Components): Json {
  const named = { ...wrapped.$defs };
  for (const [name, schema] of Object.entries(named)) {
    components.set(name, asJson(pointToComponents(schema)));
  }
  return asJson(pointToComponents(wrapped.properties?.["it"]));
}

function pointToComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointToComponents);
  if (typeof value === "string") return value.replace(/^#\/\$defs\//, "#/components/schemas/");
  if (!isJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, pointToComponents(part)]),
  );
}

function asJson(value: unknown): Json {
  return isJson(value) ? value : {};
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
