import type { HttpProbe } from "../config/config.ts";
import type { Identity } from "./check-server.ts";

/** What a probe looks at of an answer. */
export interface ProbeAnswer {
  readonly status: number;
  /** Its `X-App-Pool` and `X-Release-Id`. */
  readonly pool: unknown;
  readonly release: unknown;
  readonly body: string;
}

/** What in an answer is not as expected, in words that go on after the question; else undefined. */
export function whatIsWrong(
  answer: ProbeAnswer,
  ask: HttpProbe,
  { pool, release }: Identity = {},
): string | undefined {
  const { status } = answer;
  if (!ask.statuses.some(({ from, to }) => from <= status && status <= to)) {
    return `was answered with ${status}`;
  }
  return (
    wrongIdentity("pool", answer.pool, pool) ??
    wrongIdentity("release", answer.release, ask.release ?? release) ??
    wrongBody(answer.body, ask)
  );
}

function wrongIdentity(what: string, told: unknown, expected: string | undefined) {
  if (expected === undefined || told === expected) return undefined;
  const who = told === undefined ? `an unnamed ${what}` : `${what} ${show(told)}`;
  return `was answered by ${who} instead of ${expected}`;
}

function wrongBody(body: string, { body: text, json }: HttpProbe): string | undefined {
  if (text !== undefined && !body.includes(text)) {
    return `was answered without ${show(text)} in its body`;
  }
  const entries = Object.entries(json);
  if (entries.length === 0) return undefined;
  const parsed = parseJson(body);
  if (parsed === undefined) return "was answered with a body that is no JSON";
  const wrong = entries.find(([path, value]) => valueAt(parsed, path) !== value);
  if (wrong === undefined) return undefined;
  const [path, value] = wrong;
  return `was answered with ${path} = ${show(valueAt(parsed, path))} instead of ${show(value)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `checks.db.0`: by keys of maps and places in lists; a key with dots may be written whole. */
function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = new Map(Object.entries(value));
  if (entries.has(path)) return entries.get(path);
  const dot = path.indexOf(".");
  return dot === -1 ? undefined : valueAt(entries.get(path.slice(0, dot)), path.slice(dot + 1));
}

/** As JSON, cut where it is long. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
