import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRouter, routeKey, type Route } from "../../../src/routing/router.ts";

/** `*` for any host; the route's own text is its target. */
function routerOf(...routes: readonly string[]) {
  return createRouter(routes.map((text) => ({ route: routeOf(text), target: text })));
}

function routeOf(text: string): Route {
  const slash = text.indexOf("/");
  const host = text.slice(0, slash);
  return { host: host === "*" ? undefined : host, path: text.slice(slash) };
}

describe("a route takes the requests of its host", () => {
  const router = routerOf(
    "app.example.com/",
    "*.example.com/",
    "*.eu.example.com/",
    "[::1]/",
    "10.0.0.1/",
    "*/",
  );

  test.each([
    ["app.example.com", "app.example.com/"],
    ["APP.Example.COM", "app.example.com/"],
    ["app.example.com:8080", "app.example.com/"],
    ["app.example.com.", "app.example.com/"],
    ["App.example.com.:443", "app.example.com/"],
    ["other.example.com", "*.example.com/"],
    ["a.b.example.com", "*.example.com/"],
    ["x.eu.example.com", "*.eu.example.com/"],
    ["a.b.eu.example.com:1", "*.eu.example.com/"],
    ["eu.example.com", "*.example.com/"],
    ["example.com", "*/"],
    ["notexample.com", "*/"],
    ["[::1]:8080", "[::1]/"],
    ["[::1]", "[::1]/"],
    ["[::2]:8080", "*/"],
    ["10.0.0.1:80", "10.0.0.1/"],
    ["localhost", "*/"],
    ["", "*/"],
    ["*", "*/"],
    ["*.example.com", "*.example.com/"],
    [":80", "*/"],
    ["[", "*/"],
    [".", "*/"],
  ])("%s -> %s", (host, expected) => {
    const found = router.find(host, "/");

    expect(found).toBe(expected);
  });
});

describe("a route takes the paths below its prefix", () => {
  const router = routerOf("*/api", "*/api/v2/", "*/static");

  test.each([
    ["/api", "*/api"],
    ["/api/", "*/api"],
    ["/api/x", "*/api"],
    ["/api?x=1", "*/api"],
    ["/api/v2", "*/api/v2/"],
    ["/api/v2/x", "*/api/v2/"],
    ["/api/v20", "*/api"],
    ["/apix", undefined],
    ["/API", undefined],
    ["/", undefined],
    ["/static/a.css", "*/static"],
    ["", undefined],
  ])("%s -> %s", (path, expected) => {
    const found = router.find("any", path);

    expect(found).toBe(expected);
  });
});

describe("a host whose routes miss the path falls back to the less specific hosts", () => {
  const router = routerOf("a.x.org/api", "*.x.org/web", "*.org/org", "*/");

  test.each([
    ["a.x.org", "/api/1", "a.x.org/api"],
    ["a.x.org", "/web", "*.x.org/web"],
    ["a.x.org", "/org", "*.org/org"],
    ["a.x.org", "/else", "*/"],
    ["b.x.org", "/api", "*/"],
    ["b.org", "/web", "*/"],
    ["b.org", "/org/1", "*.org/org"],
  ])("%s%s -> %s", (host, path, expected) => {
    const found = router.find(host, path);

    expect(found).toBe(expected);
  });
});

test("a single catch-all route takes everything", () => {
  const router = routerOf("*/");

  expect([router.find("", ""), router.find("a:1", "*"), router.find("b", "/x")]).toEqual([
    "*/",
    "*/",
    "*/",
  ]);
});

test("a single route that is no catch-all does not take everything", () => {
  const router = routerOf("a/");

  expect([router.find("a", "/"), router.find("b", "/")]).toEqual(["a/", undefined]);
});

test("a router without routes finds nothing", () => {
  expect(createRouter([]).find("a", "/")).toBeUndefined();
});

test("routes that take the same requests have the same key", () => {
  const keys = [
    routeKey({ host: undefined, path: "/" }),
    routeKey({ host: "A.example.com.", path: "/api/" }),
    routeKey({ host: "a.example.com:80", path: "/api" }),
    routeKey({ host: "*.Example.com", path: "/" }),
  ];

  expect(keys).toEqual(["*/", "a.example.com/api", "a.example.com/api", "*.example.com/"]);
});

test("the router finds what comparing every route by hand finds", () => {
  const label = fc.constantFrom("a", "b", "c");
  const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
  const path = fc.array(label, { maxLength: 3 }).map((segments) => `/${segments.join("/")}`);
  const pattern = fc.oneof(
    host,
    host.map((name) => `*.${name}`),
    fc.constant("*"),
  );
  const routes = fc.uniqueArray(fc.tuple(pattern, path).map((pair) => pair.join("")));

  fc.assert(
    fc.property(routes, host, path, (texts, host, path) => {
      const found = routerOf(...texts).find(host, path);

      const taking = texts.filter((text) => takes(routeOf(text), host, path));
      expect(found).toBe(taking.toSorted((a, b) => rank(b) - rank(a))[0]);
    }),
  );
});

function takes(route: Route, host: string, path: string): boolean {
  const pattern = route.host ?? "*";
  const hostTaken = pattern.startsWith("*") ? host.endsWith(pattern.slice(1)) : host === pattern;
  return hostTaken && (route.path === "/" || `${path}/`.startsWith(`${route.path}/`));
}

function rank(text: string): number {
  const { host, path } = routeOf(text);
  const wildcard = host?.startsWith("*.") === true ? host.length * 100 : 0;
  const exact = host === undefined || host.startsWith("*") ? 0 : 100_000;
  return exact + wildcard + path.length;
}
