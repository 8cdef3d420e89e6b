import type { IncomingMessage } from "node:http";
import { didYouMean } from "../config/suggest.ts";
import { type AdminAnswer, problem } from "./admin-answer.ts";

export interface AdminRequest {
  readonly message: IncomingMessage;
  /** What stands in the path for `{group}`. */
  readonly group: string;
  readonly query: URLSearchParams;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** `/api/v1/groups/{group}` */
  readonly path: string;
  readonly handle: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/** The answer of the route that fits, or why none does. Rejects where the client goes away. */
export async function answerBy(
  routes: readonly Route[],
  message: IncomingMessage,
): Promise<AdminAnswer> {
  const [path = "", query = ""] = (message.url ?? "").split("?", 2);
  const found = routes.flatMap((route) => {
    const group = matchPath(route.path, path);
    return group === undefined ? [] : [{ route, group }];
  });
  if (found.length === 0) return problem("NOT_FOUND", notFound(path, routes));
  // An answer to HEAD is one to GET whose body Node leaves out.
  const method = message.method === "HEAD" ? "GET" : message.method;
  const match = found.find(({ route }) => route.method === method);
  if (match === undefined) return wrongMethod(message, found[0]?.route.method ?? "GET", path);
  return await match.route.handle({
    message,
    group: match.group,
    query: new URLSearchParams(query),
  });
}

/** What stands for `{group}`, empty where the pattern has none; undefined where it does not fit. */
function matchPath(pattern: string, path: string): string | undefined {
  const parts = path.split("/");
  const expected = pattern.split("/");
  if (parts.length !== expected.length) return undefined;
  const at = expected.indexOf("{group}");
  const fits = expected.every((word, n) => (n === at ? parts[n] !== "" : word === parts[n]));
  return fits ? decode(parts[at] ?? "") : undefined;
}

/** What is no valid encoding is no group's name either. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function notFound(path: string, routes: readonly Route[]): string {
  const known = Array.from(new Set(routes.map((route) => route.path)));
  const hint = didYouMean(path, known) || `, known here: ${known.join(", ")}`;
  return `nothing is at ${JSON.stringify(path)}${hint}`;
}

function wrongMethod(message: IncomingMessage, right: Route["method"], path: string): AdminAnswer {
  const allow = right === "GET" ? "GET, HEAD" : right;
  const text = `${path} takes ${allow.replace(", ", " and ")}, not ${message.method ?? ""}`;
  return { ...problem("METHOD_NOT_ALLOWED", text), fields: { Allow: allow } };
}
