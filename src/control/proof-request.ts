import type { GroupConfig, HttpProbe } from "../config/config.ts";

/** What is asked through the public door to see which pool answers. */
export interface ProofRequest {
  readonly method: "GET" | "HEAD" | "OPTIONS";
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Answers that are as they should be: one of these ranges, ends included. */
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
}

/** The group that a request leads to. */
export type FindGroup = (host: string, path: string) => string | undefined;

/** Whatever an app says at a path that nobody has chosen: it answers, and does not fail. */
const NO_FAILURE = [{ from: 100, to: 499 }];

/**
 * The pool's own probe where its path leads to the group from outside, else a HEAD of one of its
 * routes. Undefined where no request reaches the group.
 */
export function proofRequest(
  group: GroupConfig,
  pool: string,
  findGroup: FindGroup,
): ProofRequest | undefined {
  const ask = group.health.get(pool)?.ask;
  const hosts = group.routes.map(({ host }) => hostOf(host));
  const leadsHere = (host: string, path: string): boolean => findGroup(host, path) === group.name;
  if (ask?.kind === "http" && ask.method !== "POST") {
    const candidates = ask.host === undefined ? hosts : [ask.host, ...hosts];
    const host = candidates.find((name) => leadsHere(name, ask.path));
    if (host !== undefined) return byProbe(ask, ask.method, host);
  }
  const route = group.routes.find(({ host, path }) => leadsHere(hostOf(host), path));
  if (route === undefined) return undefined;
  const { path, host } = route;
  return { method: "HEAD", path, host: hostOf(host), headers: {}, statuses: NO_FAILURE };
}

function byProbe(
  { path, headers, statuses }: HttpProbe,
  method: ProofRequest["method"],
  host: string,
): ProofRequest {
  return { method, path, host, headers, statuses };
}

/** A name that a route takes. */
function hostOf(host: string | undefined): string {
  return host === undefined ? "localhost" : host.replace(/^\*/, "understudy");
}
