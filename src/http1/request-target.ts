import { isHost } from "./host.ts";
import { badRequest } from "./problem.ts";
import type { HeadProblem } from "./problem.ts";

/** A request target as it goes on. */
export interface RequestTarget {
  readonly kind: "target";
  /** Origin-form, or "*". */
  readonly target: string;
  /** Without the query. */
  readonly path: string;
  /** Of an absolute-form; it takes the place of Host (RFC 9112 3.2.2). */
  readonly authority: string | undefined;
}

const ABSOLUTE = /^(https?):\/\/([^/?]*)([^?]*)(.*)$/i;

/** Reads a target of printable ASCII in any form but authority-form, which is for CONNECT alone. */
export function readTarget(
  target: string,
  method: string,
  scheme: "http" | "https",
): RequestTarget | HeadProblem {
  if (target.charCodeAt(0) === 0x2f) {
    const query = target.indexOf("?");
    const path = query === -1 ? target : target.slice(0, query);
    return { kind: "target", target, path, authority: undefined };
  }
  if (target === "*") {
    if (method !== "OPTIONS") return badRequest("request target * is for OPTIONS");
    return { kind: "target", target, path: target, authority: undefined };
  }
  return readAbsolute(target, method, scheme);
}

function readAbsolute(
  text: string,
  method: string,
  scheme: "http" | "https",
): RequestTarget | HeadProblem {
  const [, itsScheme = "", authority = "", itsPath = "", query = ""] = ABSOLUTE.exec(text) ?? [];
  if (!isHost(authority)) return badRequest("request target is neither a path nor a valid URL");
  if (itsScheme.length > "http".length && scheme === "http") {
    return badRequest("https target on a connection without TLS");
  }
  // RFC 9112 3.2.4: OPTIONS of a URL without path and query asks about the server as a whole.
  const isWhole = method === "OPTIONS" && itsPath + query === "";
  const path = itsPath !== "" ? itsPath : isWhole ? "*" : "/";
  return { kind: "target", target: path + query, path, authority };
}
