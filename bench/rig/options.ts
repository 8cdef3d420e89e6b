import { parseArgs } from "node:util";

export interface Options {
  /** Short rounds: to see that all works, not for figures to quote. */
  readonly quick: boolean;
  /** The cases or scenarios to run; empty = all. */
  readonly only: readonly string[];
  /** The peers to run; empty = all. */
  readonly peers: readonly string[];
  /** The result as JSON on stdout, and nothing else there. */
  readonly json: boolean;
  /** Writes the result into bench/README.md and its pictures into bench/results/. */
  readonly report: boolean;
}

/** The flags that every bench has; throws a TypeError on others. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      peers: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
    },
  });
  return { ...values, only: listOf(values.only), peers: listOf(values.peers) };
}

/** Those named, in the order of `all`; every one where none is named; throws on an unknown name. */
export function pickNamed<Item>(
  all: readonly Item[],
  names: readonly string[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const known = all.map(nameOf);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new TypeError(`unknown: ${unknown.join(", ")}; known: ${known.join(", ")}`);
  return names.length === 0 ? all : all.filter((item) => names.includes(nameOf(item)));
}

function listOf(text: string): readonly string[] {
  return text.split(",").filter((name) => name !== "");
}
