import { isAlias, isMap, isPair, isScalar, isSeq, type Document, type Node, type Pair } from "yaml";

/** The offset of the value (or key) at a path, or of the closest thing around it. */
export function locate(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  at: "key" | "value",
): number {
  let node: unknown = document.contents;
  for (const [index, step] of path.entries()) {
    const pair = pairOf(document, node, step);
    const next = pair === undefined ? itemOf(document, node, step) : pair.value;
    const isLast = index === path.length - 1;
    if (pair !== undefined && (isEmpty(next) || (isLast && at === "key"))) {
      return offsetOf(pair.key);
    }
    if (next === undefined) return offsetOf(node);
    node = next;
  }
  return offsetOf(node);
}

/** The path to the last of a chain of nodes, from the document down. */
export function pathTo(chain: readonly (Document | Node | Pair)[]): PropertyKey[] {
  return chain.flatMap((node, index): PropertyKey[] => {
    if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
    const parent = chain[index - 1];
    return isSeq(parent) ? [parent.items.indexOf(node)] : [];
  });
}

export function offsetOf(node: unknown): number {
  const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
  return isNode ? (node.range?.[0] ?? 0) : 0;
}

/** Nothing was written here. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.source === "");
}

function pairOf(document: Document.Parsed, node: unknown, key: PropertyKey): Pair | undefined {
  const map = follow(document, node);
  if (!isMap(map)) return undefined;
  const own = map.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own !== undefined) return own;
  const merges = map.items.filter((pair) => isScalar(pair.key) && pair.key.source === "<<");
  for (const source of merges.flatMap((merge) => sourcesOf(document, merge.value))) {
    const pair = pairOf(document, source, key);
    if (pair !== undefined) return pair;
  }
  return undefined;
}

/** The maps that `<<` brings in: one, or a list of them. */
function sourcesOf(document: Document.Parsed, merged: unknown): readonly unknown[] {
  const sources = follow(document, merged);
  return isSeq(sources) ? sources.items : [sources];
}

function itemOf(document: Document.Parsed, node: unknown, index: PropertyKey): unknown {
  const list = follow(document, node);
  return isSeq(list) && typeof index === "number" ? list.items[index] : undefined;
}

function follow(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}
