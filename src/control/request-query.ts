import { didYouMean } from "../config/suggest.ts";
import { bad, good, type Parsed } from "../config/parsed.ts";
import { problemsIn, type Route } from "./admin-route.ts";

type Query = Readonly<Record<string, unknown>>;

/** The parameters of a request to `route`; one that is given twice counts as given last. */
export function readQuery({ path, query }: Route, url: string): Parsed<Query> {
  const start = url.indexOf("?");
  const given = start < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(start)));
  const known = Object.keys(query?.shape ?? {});
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  // Whatever watches a gateway may have a parameter of its own.
  if (unknown !== undefined && path.startsWith("/api/"))
    return bad(unknownParameter(unknown, known));
  if (query === undefined) return good({});
  const checked = query.safeParse(given, { reportInput: true });
  return checked.success ? good(checked.data) : bad(`query: ${problemsIn(checked.error)}`);
}

function unknownParameter(name: string, known: readonly string[]): string {
  const others = known.length === 0 ? ", none is known here" : `, known here: ${known.join(", ")}`;
  return `query: ${JSON.stringify(name)} is no parameter${didYouMean(name, known) || others}`;
}
