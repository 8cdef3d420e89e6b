import { describe, expect, test } from "vitest";
import { reuseUnchanged } from "../../../src/config/reuse-unchanged.ts";
import { configOf } from "../../support/config.ts";

const TEXT = `
listen: [127.0.0.1:1, 127.0.0.1:2]
groups:
  app:
    routes: [{ path: /app }]
    pools: { blue: [http://a:1, http://a:2], green: http://b:1 }
    error_pages: { 502: down.html }
  api:
    routes: [{ path: /api }]
    pools: { blue: http://c:1 }
`;

const previous = configOf(TEXT);

describe("what is as it was is the object that it was", () => {
  test("all of it, where nothing changed", () => {
    expect(reuseUnchanged(previous, configOf(`${TEXT}# a comment`))).toBe(previous);
  });

  test("all but what is on the way to the change", () => {
    const next = configOf(TEXT.replace("http://a:2", "http://a:3"));
    const [before, beside] = previous.groups;

    const result = reuseUnchanged(previous, next);

    expect(result).toEqual(next);
    expect(result.groups[1]).toBe(beside);
    expect(result.limits).toBe(previous.limits);
    expect(result.accessLog).toBe(previous.accessLog);
    const [app] = result.groups;
    expect(app).not.toBe(before);
    expect(app?.errorPages).toBe(before?.errorPages);
    expect(app?.timeouts).toBe(before?.timeouts);
    expect(app?.spec.policy).toBe(before?.spec.policy);
    expect(app?.spec.pools[1]).toBe(before?.spec.pools[1]);
    expect(app?.spec.pools[0]?.servers[0]).toBe(before?.spec.pools[0]?.servers[0]);
    expect(app?.spec.pools[0]?.servers[1]).not.toBe(before?.spec.pools[0]?.servers[1]);
  });

  test("wherever it stands now", () => {
    const next = configOf(
      TEXT.replace("[127.0.0.1:1, 127.0.0.1:2]", "[127.0.0.1:3, 127.0.0.1:2]").replace(
        "[http://a:1, http://a:2]",
        "[http://a:2, http://a:1]",
      ),
    );

    const result = reuseUnchanged(previous, next);

    expect(result).toEqual(next);
    expect(result.listen[1]).toBe(previous.listen[1]);
    const [before] = previous.groups[0]?.spec.pools ?? [];
    const [after] = result.groups[0]?.spec.pools ?? [];
    expect(after?.servers[0]).toBe(before?.servers[1]);
    expect(after?.servers[1]).toBe(before?.servers[0]);
  });

  test("not where a group, a pool or a server is new", () => {
    const next = configOf(TEXT.replace("green", "grey").replace("api:", "web:"));

    const result = reuseUnchanged(previous, next);

    expect(result).toEqual(next);
    expect(result.groups[1]).toBe(next.groups[1]);
  });

  test("not where the page of a group says something else", () => {
    const next = configOf(TEXT, () => "another text");

    const result = reuseUnchanged(previous, next);

    expect(result.groups[0]?.errorPages).toBe(next.groups[0]?.errorPages);
    expect(result.groups[0]?.spec).toBe(previous.groups[0]?.spec);
  });
});
