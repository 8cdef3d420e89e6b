/** Which requests a group answers. */
export interface Route {
  /** `app.example.com`, `*.example.com` (any depth below, not the name itself); undefined = any. */
  readonly host: string | undefined;
  /** Prefix on segment boundaries: `/api` takes `/api` and `/api/x`, not `/apix`; `/` = all. */
  readonly path: string;
}

export interface Router<T> {
  /**
   * The target of the most specific route: exact host before `*.suffix` (longest first) before
   * any host, then the longest path. A host whose routes all miss the path falls back to the less
   * specific hosts. `host` may carry a port; `path` may carry a query, and is compared as it is.
   */
  find(host: string, path: string): T | undefined;
}

export interface RouterEntry<T> {
  readonly route: Route;
  readonly target: T;
}

interface Place<T> {
  readonly path: string;
  readonly target: T;
}

/** A route in the form in which it is compared: two routes with the same key take the same requests. */
export function routeKey(route: Route): string {
  const host = route.host === undefined ? "*" : bareHost(route.host);
  return `${host}${barePath(route.path)}`;
}

/** Of two entries with the same route the first one counts. */
export function createRouter<T>(entries: readonly RouterEntry<T>[]): Router<T> {
  const [only] = entries;
  if (only !== undefined && entries.length === 1 && routeKey(only.route) === "*/") {
    return { find: () => only.target };
  }
  const hosts = placesByHost(entries);
  const anyHost = hosts.get("*") ?? [];
  if (hosts.size === 1) return { find: (_, path) => findPath(anyHost, path) };
  return {
    find(host, path) {
      // The host as it came is looked up first: it mostly is lower case and without a port.
      return findPath(hosts.get(host) ?? placesOf(hosts, bareHost(host)) ?? anyHost, path);
    },
  };
}

/** For every host of a route what it serves, followed by what the less specific hosts serve. */
function placesByHost<T>(entries: readonly RouterEntry<T>[]): Map<string, readonly Place<T>[]> {
  const own = new Map<string, Place<T>[]>([["*", []]]);
  for (const { route, target } of entries) {
    const host = route.host === undefined ? "*" : bareHost(route.host);
    const places = own.get(host) ?? [];
    places.push({ path: barePath(route.path), target });
    own.set(host, places);
  }
  for (const places of own.values()) places.sort((a, b) => b.path.length - a.path.length);
  return new Map([...own.keys()].map((host) => [host, withFallbacks(own, host)]));
}

function withFallbacks<T>(own: ReadonlyMap<string, readonly Place<T>[]>, host: string): Place<T>[] {
  const places = [...(own.get(host) ?? [])];
  for (let wider = widen(host); wider !== undefined; wider = widen(wider)) {
    places.push(...(own.get(wider) ?? []));
  }
  return places;
}

/** The closest `*.suffix` that takes this host and has routes. */
function placesOf<T>(
  hosts: ReadonlyMap<string, readonly Place<T>[]>,
  host: string,
): readonly Place<T>[] | undefined {
  let places = host === "*" ? undefined : hosts.get(host);
  let wider = widen(host);
  while (places === undefined && wider !== undefined) {
    places = hosts.get(wider);
    wider = widen(wider);
  }
  return places;
}

/** `a.b.c` -> `*.b.c` -> `*.c` -> `*` -> undefined. */
function widen(host: string): string | undefined {
  if (host === "*") return undefined;
  const dot = host.indexOf(".", host.startsWith("*.") ? 2 : 0);
  return dot === -1 ? "*" : `*${host.slice(dot)}`;
}

function findPath<T>(places: readonly Place<T>[], path: string): T | undefined {
  for (const place of places) {
    if (matches(place.path, path)) return place.target;
  }
  return undefined;
}

function matches(prefix: string, path: string): boolean {
  if (prefix === "/") return true;
  if (!path.startsWith(prefix)) return false;
  const next = path[prefix.length];
  return next === undefined || next === "/" || next === "?";
}

/** Lower case, without port and without the trailing dot of a fully qualified name. */
function bareHost(host: string): string {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : host.indexOf(":");
  const name = end > 0 ? host.slice(0, end) : host;
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}

function barePath(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
