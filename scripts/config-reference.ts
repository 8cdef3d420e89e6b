import { asSchema, type JsonSchema } from "./config-schema.ts";

/** A map of keys that gets a table of its own. */
interface Section {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** Every key of the configuration as Markdown tables, after the words that stand before them. */
export function reference(root: JsonSchema, intro: string): string {
  const definitions = asSchema(root["definitions"]);
  const found = sectionsOf({ path: "", schema: root }, definitions);
  const sections = [...new Map(found.map((section) => [section.path, section])).values()];
  const kinds = Object.entries(definitions)
    .map(([name, schema]): [string, JsonSchema] => [name, asSchema(schema)])
    .filter(([, schema]) => schema["type"] !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    intro.trimEnd(),
    ...sections.map((section) => tableOf(section, definitions)),
    "## Kinds of values",
    table(
      ["kind", "what it is", "examples"],
      kinds.map(([name, { description, examples }]) => [
        named(name),
        textOf(description),
        Array.isArray(examples) ? examples.map((example) => code(example)).join(", ") : "",
      ]),
    ),
    "",
  ].join("\n\n");
}

function tableOf({ path, schema }: Section, definitions: JsonSchema): string {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const rows = Object.entries(asSchema(schema["properties"])).map(([key, part]) => {
    const property = asSchema(part);
    return [
      code(key),
      typeOf(property, joined(path, key), definitions),
      required.includes(key) ? "required" : defaultOf(property["default"]),
      textOf(property["description"]),
    ];
  });
  const title = path === "" ? "## Top level" : `## ${path}`;
  return `${title}\n\n${table(["key", "type", "default", "what it does"], rows)}`;
}

/** This map and all maps below it, each once. */
function sectionsOf(section: Section, definitions: JsonSchema): Section[] {
  const below = Object.entries(asSchema(section.schema["properties"])).flatMap(([key, part]) =>
    mapsIn(asSchema(part), joined(section.path, key), definitions),
  );
  return [section, ...below.flatMap((found) => sectionsOf(found, definitions))];
}

/** The maps of keys that a value may be or hold: `pools.NAME`, `servers[]`. */
function mapsIn(schema: JsonSchema, path: string, definitions: JsonSchema): Section[] {
  const resolved = resolve(schema, definitions);
  // A definition is described under its own name, wherever it is used.
  const place = refOf(schema) ?? path;
  if (resolved["properties"] !== undefined) return [{ path: place, schema: resolved }];
  const branches = [resolved["anyOf"], resolved["allOf"]].flatMap((list) =>
    Array.isArray(list) ? list.map(asSchema) : [],
  );
  return [
    ...branches.flatMap((branch) => mapsIn(branch, place, definitions)),
    ...mapsOfPart(resolved["items"], `${place}[]`, definitions),
    ...mapsOfPart(resolved["additionalProperties"], `${place}.NAME`, definitions),
  ];
}

function mapsOfPart(part: unknown, path: string, definitions: JsonSchema): Section[] {
  return Object.keys(asSchema(part)).length === 0 ? [] : mapsIn(asSchema(part), path, definitions);
}

function typeOf(schema: JsonSchema, path: string, definitions: JsonSchema): string {
  const name = refOf(schema) ?? refOf(firstOf(schema["allOf"]));
  if (name !== undefined) {
    const isWord = asSchema(definitions[name])["type"] !== undefined;
    return isWord ? named(name) : `[${named(name)}](#${anchor(name)})`;
  }
  if (schema["const"] !== undefined) return code(schema["const"]);
  if (Array.isArray(schema["enum"])) return schema["enum"].map(code).join(" or ");
  if (Array.isArray(schema["anyOf"])) {
    const types = schema["anyOf"].map((branch) => typeOf(asSchema(branch), path, definitions));
    return [...new Set(types)].join(" or ");
  }
  if (schema["type"] === "array") {
    return `list of ${typeOf(asSchema(schema["items"]), `${path}[]`, definitions)}`;
  }
  if (schema["type"] === "object") return mapType(schema, path, definitions);
  return simpleType(schema["type"]);
}

function firstOf(list: unknown): JsonSchema {
  return Array.isArray(list) ? asSchema(list[0]) : {};
}

function mapType(schema: JsonSchema, path: string, definitions: JsonSchema): string {
  if (schema["properties"] !== undefined) return `[map](#${anchor(path)})`;
  return `by name: ${typeOf(asSchema(schema["additionalProperties"]), `${path}.NAME`, definitions)}`;
}

function simpleType(type: unknown): string {
  if (type === "integer") return "number";
  return type === "boolean" ? "true or false" : "text";
}

function resolve(schema: JsonSchema, definitions: JsonSchema): JsonSchema {
  const name = refOf(schema);
  return name === undefined ? schema : asSchema(definitions[name]);
}

function refOf(schema: JsonSchema): string | undefined {
  const ref = schema["$ref"];
  return typeof ref === "string"
    ? decodeURIComponent(ref.replace("#/definitions/", ""))
    : undefined;
}

function defaultOf(value: unknown): string {
  if (value === undefined || isEmptyMap(value)) return "";
  if (Array.isArray(value))
    return value.some((item) => isEmptyMap(item)) ? "" : code(`[${value.join(", ")}]`);
  return code(value);
}

function isEmptyMap(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 0 &&
    !Array.isArray(value)
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.replaceAll("|", "\\|") : "";
}

/** `log-format` -> `log format` */
function named(id: string): string {
  return id.replaceAll("-", " ");
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** As code hosts make the anchor of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w-]/g, "");
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
