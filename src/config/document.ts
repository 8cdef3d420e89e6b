import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from "yaml";
import { type Document, type Node, type Pair, Scalar, visit } from "yaml";
import { interpolate, type Env } from "./interpolate.ts";
import type { Finding } from "./issues.ts";
import { locate, offsetOf, pathTo } from "./locate.ts";

/** A finding with its place in the text. */
export interface PlacedFinding extends Finding {
  readonly line: number;
  readonly column: number;
}

/** A text as data, and the way back from a path in the data to a place in the text. */
export interface ReadDocument {
  /** Undefined where the text is not readable. */
  readonly value: unknown;
  readonly findings: readonly PlacedFinding[];
  /** One of the findings is below an anchor: it may be wrong in other places than the one it names. */
  readonly isShared: boolean;
  readonly place: (finding: Finding) => PlacedFinding;
}

/**
 * Reads YAML (or JSON) with its variables replaced. A key without a value is a key not given.
 * Throws on alias bombs and on nesting that exhausts the stack.
 */
export function readDocument(text: string, env: Env): ReadDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const placeAt = (finding: Finding, offset: number): PlacedFinding => {
    const { line, col } = lines.linePos(offset);
    return { ...finding, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const place = (finding: Finding) => placeAt(finding, locate(document, finding.path, finding.at));
  // What follows the first fault of syntax is mostly misread, and not worth telling.
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    const [offset] = fault.pos;
    const message = faultMessage(fault.message, text, offset);
    const finding = placeAt({ path: [], at: "value", message }, offset);
    return { value: undefined, findings: [finding], isShared: false, place };
  }
  const faults = settleAll(document, env);
  const findings = faults.map(({ finding, offset }) => placeAt(finding, offset));
  const isShared = faults.some((fault) => fault.isShared);
  return { value: document.toJS({ maxAliasCount: 100 }), findings, isShared, place };
}

interface Fault {
  readonly finding: Finding;
  readonly offset: number;
  /** It is below an anchor. */
  readonly isShared: boolean;
}

/** The nodes from the document down to one. */
type Chain = readonly (Document | Node | Pair)[];

/** Gives every scalar of the document its final value. */
function settleAll(document: Document.Parsed, env: Env): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const message = keyFault(pair, ancestors.at(-1));
      if (message !== undefined) faults.push(faultAt([...ancestors, pair], pair.key, message));
    },
    Alias: (_, alias, ancestors) => {
      if (alias.resolve(document) !== undefined) return undefined;
      const message = `no anchor &${alias.source} stands before this`;
      faults.push(faultAt([...ancestors, alias], alias, message));
      // Its place is kept, so that nothing else is told about it.
      const nothing = new Scalar(undefined);
      nothing.range = alias.range ?? null;
      return nothing;
    },
    Scalar: (key, scalar, ancestors) => {
      if (key === "key") return;
      const message = settle(scalar, ancestors.at(-1), env);
      if (message !== undefined) faults.push(faultAt([...ancestors, scalar], scalar, message));
    },
  });
  return faults;
}

function faultAt(chain: Chain, node: unknown, message: string): Fault {
  const at = isPair(chain.at(-1)) ? "key" : "value";
  return {
    finding: { path: pathTo(chain), at, message },
    offset: offsetOf(node),
    isShared: chain.some((part) => isNode(part) && "anchor" in part && part.anchor !== undefined),
  };
}

function keyFault({ key }: Pair, map: unknown): string | undefined {
  if (!isScalar(key)) return "a key has to be a plain word";
  if (key.value === "__proto__") return "unknown key";
  if (!isMap(map)) return undefined;
  const word = String(key.value);
  const first = map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === word);
  return first?.key === key ? undefined : "is written twice: keep one";
}

/** Text whatever it looks like: release 1.10 is not the number 1.1. */
const TEXT_KEYS: ReadonlySet<unknown> = new Set(["release", "expect_pool", "expect_release"]);

/** Variables replaced, text kept as text, nothing as undefined; else what is wrong. */
function settle(scalar: Scalar, parent: unknown, env: Env): string | undefined {
  const isPlain = scalar.type === Scalar.PLAIN;
  let text = scalar.source ?? "";
  if (text.includes("$")) {
    const replaced = interpolate(text, env);
    if (!replaced.ok) return replaced.message;
    text = replaced.value;
    scalar.value = isPlain ? retype(text) : text;
  }
  const isText = isPair(parent) && isScalar(parent.key) && TEXT_KEYS.has(parent.key.value);
  if (isText && isPlain && scalar.value !== null) scalar.value = text;
  if (scalar.value === null && isPair(parent)) scalar.value = undefined;
  return undefined;
}

/** What YAML makes of this text where it stands as a plain word: a number, true, or just text. */
function retype(text: string): unknown {
  if (text.trim() === "") return null;
  const { contents } = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const isWord = isScalar(contents) && contents.type === Scalar.PLAIN && contents.source === text;
  return isWord && contents.anchor === undefined ? contents.value : text;
}

function faultMessage(message: string, text: string, offset: number): string {
  const what = `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  const isVariable = text[offset] === "{" && text[offset - 1] === "$";
  return isVariable
    ? `${what}: inside { } and [ ] a variable needs quotes, which make it text`
    : what;
}
