import { z } from "zod";
import { configSchema } from "../src/config/schema.ts";

/** A JSON Schema, as far as this script looks into it. */
export interface JsonSchema {
  readonly [key: string]: unknown;
}

/** The configuration's JSON Schema, for editors: descriptions, defaults, and `${VAR}` anywhere. */
export function editorSchema(): JsonSchema {
  const { $schema, definitions, ...root } = plainSchema();
  return {
    $schema,
    title: "Understudy gateway configuration",
    ...asSchema(withVariables(root)),
    patternProperties: { "^x-": { description: "Free: a place for anchors." } },
    definitions: { ...variableDefinition(), ...asSchema(withVariables(asSchema(definitions))) },
  };
}

/** The same without variables, as the reference shows it. */
export function plainSchema(): JsonSchema {
  return asSchema(
    z.toJSONSchema(configSchema, {
      target: "draft-07",
      io: "input",
      override: ({ zodSchema, jsonSchema }) => {
        // Zod takes these two for values of the code; here they are written as in the file.
        const { examples, default: preset } = z.globalRegistry.get(zodSchema) ?? {};
        if (examples !== undefined) jsonSchema.examples = asList(examples);
        if (preset !== undefined) Object.assign(jsonSchema, { default: preset });
      },
    }),
  );
}

function asList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export function asSchema(value: unknown): JsonSchema {
  return isSchema(value) ? value : {};
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function variableDefinition(): JsonSchema {
  const description = "A value with `${VAR}` or `${VAR:-default}` of the environment.";
  return { variable: { type: "string", pattern: "\\$\\{", description } };
}

/** Allows a variable beside every value that is more than any text. */
function withVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withVariables);
  if (!isSchema(value)) return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === "propertyNames" || key === "default" ? part : withVariables(part),
    ]),
  );
  if (!isNarrow(value)) return inner;
  const { description, default: preset, ...rest } = inner;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [rest, { $ref: "#/definitions/variable" }],
  };
}

function isNarrow({ type, pattern, const: only, enum: values }: JsonSchema): boolean {
  const isWord = type === "string" && (pattern !== undefined || values !== undefined);
  const isNumber = type === "integer" || type === "number" || type === "boolean";
  const isMixed = Array.isArray(type) && pattern !== undefined;
  return isWord || isNumber || isMixed || only !== undefined;
}
